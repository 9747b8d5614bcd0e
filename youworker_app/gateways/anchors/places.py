"""The places that the settings name."""

from youworker_app.core.audit_settings import AuditSettings
from youworker_app.gateways.anchors.file import FileAnchors
from youworker_app.gateways.anchors.protocol import AnchorStore
from youworker_app.gateways.anchors.webhook import WebhookAnchors


def anchor_places(settings: AuditSettings) -> tuple[AnchorStore, ...]:
    """A file, an address, both or none; nothing is opened yet."""
    places: list[AnchorStore] = []
    if settings.anchor_file is not None:
        places.append(FileAnchors(settings.anchor_file))
    if settings.anchor_url:
        token = settings.anchor_token.get_secret_value()
        places.append(WebhookAnchors(settings.anchor_url, token=token, timeout_s=settings.anchor_timeout_s))
    return tuple(places)
