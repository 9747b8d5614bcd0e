"""The parts around the audit trail, made together: what seals, verifies and retires it shares its keys."""

from collections.abc import Sequence
from dataclasses import dataclass

from youworker_app.audit.retirement import Retirement
from youworker_app.audit.sealer import Sealer
from youworker_app.audit.service import AuditService
from youworker_app.audit.verification import Checker, Verifier
from youworker_app.core.audit_settings import AuditSettings
from youworker_app.core.db import Database
from youworker_app.core.keys import DataKeys
from youworker_app.gateways.anchors.protocol import AnchorStore


@dataclass(frozen=True)
class Trail:
    """What goes on around the trail; the sealer is started and stopped by whoever owns this."""

    sealer: Sealer
    verifier: Verifier
    retirement: Retirement

    @classmethod
    def over(
        cls,
        db: Database,
        keys: DataKeys,
        audit: AuditService,
        anchors: Sequence[AnchorStore],
        settings: AuditSettings,
    ) -> "Trail":
        """All of it over one database."""
        checker = Checker(keys.derive("audit"), keys.derive("audit-blocks"))
        retirement = Retirement(db, audit, checker, keep_days=settings.keep_days)
        return cls(
            Sealer(db, audit, checker.block_key, anchors, retirement),
            Verifier(db, checker, anchors),
            retirement,
        )
