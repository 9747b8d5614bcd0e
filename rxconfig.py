"""Reflex's configuration. Nothing here depends on the machine: one build serves any host and port."""

import reflex as rx
from reflex.plugins import SitemapPlugin

from youworker_app.frontend import PLACEHOLDER_ORIGIN, FrontendPlugin

config = rx.Config(
    app_name="youworker_app",
    api_url=PLACEHOLDER_ORIGIN,
    deploy_url=None,
    telemetry_enabled=False,
    show_built_with_reflex=False,
    # Nothing is shared with other origins; youworker_app.api.middleware refuses foreign ones before Reflex sees them.
    cors_allowed_origins=[],
    state_manager_mode=rx.constants.StateManagerMode.MEMORY,
    frontend_lazy_bundled_libraries=True,
    frontend_compression_formats=["brotli", "gzip"],
    plugins=[FrontendPlugin()],
    disable_plugins=[SitemapPlugin],
)
