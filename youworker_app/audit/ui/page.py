"""`/audit`: what happened, under filters, for root."""

from typing import Any

import reflex as rx

from youworker_app.audit.ui.state import AuditState
from youworker_app.audit.ui.views import EventLine, SumLine
from youworker_app.ui.components.buttons import button, link_button
from youworker_app.ui.components.feedback import badge, skeleton
from youworker_app.ui.components.fields import field
from youworker_app.ui.words import t


def audit_page() -> rx.Component:
    """The page."""
    events = rx.el.ul(
        rx.foreach(AuditState.items, _event), class_name="docs trail", aria_label=t("trail.list")
    )
    nothing = rx.el.p(t("trail.none"), class_name="none")
    return rx.el.div(
        rx.el.header(
            rx.el.h1(t("trail.title"), class_name="page-title"),
            rx.el.p(t("trail.intro"), class_name="page-intro"),
            class_name="page-head",
        ),
        _filters(),
        _verdict(),
        rx.cond(AuditState.sums.length() > 0, _sums()),
        rx.cond(AuditState.loaded, rx.cond(AuditState.items.length() > 0, events, nothing), skeleton(5)),
        rx.cond(AuditState.more, button(t("app.more"), variant="quiet", on_click=AuditState.show_more)),
        class_name="documents",
    )


def _filters() -> rx.Component:
    reason = field(t("trail.reason"), "reason", hint=t("trail.reason.hint"), max_length=500)
    return rx.el.form(
        field(t("trail.actor"), "actor", max_length=128),
        field(t("trail.action"), "action", max_length=64),
        field(t("trail.resource"), "resource", max_length=64),
        field(t("trail.since"), "since", type="date"),
        field(t("trail.until"), "until", type="date"),
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


def _verdict() -> Any:
    kind = rx.cond(AuditState.is_broken, "notice error", "notice")
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
            rx.cond(line.is_refused, badge(t("trail.refused"), kind="failed")),
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
