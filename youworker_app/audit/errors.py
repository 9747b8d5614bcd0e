"""What can be wrong with asking for the audit trail."""

from youworker_app.core.errors import Conflict


class TrailBroken(Conflict):
    code = "TRAIL_BROKEN"
    template = "The audit trail is not as it was sealed in block {block}. Nothing more is taken away; verify it first."
