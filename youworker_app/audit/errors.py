"""What can be wrong with asking for the audit trail."""

from youworker_app.core.errors import Conflict, Forbidden, Unprocessable


class TrailBroken(Conflict):
    code = "TRAIL_BROKEN"
    template = "The audit trail is not as it was sealed in block {block}. Nothing more is taken away; verify it first."


class NamedReadingOff(Forbidden):
    code = "NAMED_READING_OFF"
    template = (
        "What people read, search and ask is shown in sums only. A named view has to be allowed in the settings first "
        "(YOUWORKER_AUDIT_NAMED_READING)."
    )


class ReasonNeeded(Unprocessable):
    code = "REASON_NEEDED"
    template = "Say for what reason, in {shortest} to {longest} characters. It is recorded in the audit trail itself."


class PeriodUnusable(Unprocessable):
    code = "PERIOD_UNUSABLE"
    template = (
        "This period cannot be used: its beginning has to lie before its end, and both have to be real times."
    )
