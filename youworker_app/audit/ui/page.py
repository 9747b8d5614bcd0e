"""`/audit`: what happened, under filters, for root."""

from typing import Any

import reflex as rx

from youworker_app.audit.ui.state import AuditState
from youworker_app.audit.ui.views import KINDS_OF_ACTION, EventLine, SumLine
from youworker_app.ui.components.buttons import button, link_button
from youworker_app.ui.components.feedback import badge, skeleton
from youworker_app.ui.components.fields import field
from youworker_app.ui.components.sections import page_head
from youworker_app.ui.words import t


def audit_page(is_root: Any) -> rx.Component:
    """The page; who is not an administrator reads that it is not for them."""
    events = rx.el.ul(rx.foreach(AuditState.items, _event), class_name="docs", aria_label=t("trail.list"))
    nothing = rx.el.p(t("trail.none"), class_name="none")
    trail = rx.fragment(
        _filters(),
        _verdict(),
        rx.cond(AuditState.sums.length() > 0, _sums()),
        rx.cond(AuditState.loaded, rx.cond(AuditState.items.length() > 0, events, nothing), skeleton(5)),
        rx.cond(AuditState.more, button(t("app.more"), variant="quiet", on_click=AuditState.show_more)),
    )
    return rx.el.div(
        page_head(t("trail.title"), t("trail.intro")),
        rx.cond(is_root, trail, rx.el.p(t("users.root_only"), class_name="notice")),
        class_name="documents",
    )


def _filters() -> rx.Component:
    reason = field(t("trail.reason"), "reason", hint=t("trail.reason.hint"), max_length=500)
    return rx.el.form(
        field(t("trail.actor"), "actor", max_length=128),
        _kinds(),
        field(t("trail.since"), "since", type="date"),
        field(t("trail.until"), "until", type="date"),
        field(t("trail.resource"), "resource", max_length=64),
        rx.cond(AuditState.named, reason),
        rx.el.div(
            button(t("trail.show"), variant="primary", type="submit"),
            link_button(t("trail.csv"), AuditState.csv, icon="download"),
            button(t("trail.verify"), icon="shield-check", on_click=AuditState.verify),
            class_name="trail-actions",
        ),
        on_submit=AuditState.narrow,
        class_name="trail-filters",
    )


def _kinds() -> rx.Component:
    values = {"all": ""}
    options = [
        rx.el.option(t(f"trail.kind.{kind}"), value=values.get(kind, kind)) for kind in KINDS_OF_ACTION
    ]
    return rx.el.div(
        rx.el.label(t("trail.action"), html_for="action", class_name="label"),
        rx.el.select(*options, id="action", name="action", class_name="input select"),
        class_name="field",
    )


def _verdict() -> Any:
    kind = rx.cond(AuditState.is_broken, "notice error trail-verdict", "notice good trail-verdict")
    return rx.el.div(
        rx.cond(AuditState.verdict != "", rx.el.p(AuditState.verdict, class_name=kind)), role="status"
    )


def _sums() -> rx.Component:
    def one(line: rx.Var[SumLine]) -> rx.Component:
        return rx.el.li(rx.el.span(line.what), rx.el.strong(line.count), key=line.action)

    return rx.el.section(
        rx.el.h2(t("trail.sums"), class_name="label"),
        rx.el.ul(rx.foreach(AuditState.sums, one), class_name="trail-sums"),
    )


def _event(line: rx.Var[EventLine]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.span(line.what, class_name="trail-what", title=line.action),
            rx.cond(line.mark != "", badge(line.mark, kind="warn")),
            class_name="trail-head",
        ),
        rx.el.div(
            rx.el.span(line.at),
            rx.el.span(line.who),
            rx.el.span(line.where),
            rx.el.span(line.about),
            class_name="trail-line",
        ),
        key=line.id,
        class_name="trail-event",
    )
