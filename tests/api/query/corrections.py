"""Withdrawing and rolling back the releases of a deployment, as the command line does."""

from datetime import UTC, datetime

from datasets.catalogue import find_dataset
from datasets.period import Month
from datasets.pipeline.operations.rollback import roll_back
from datasets.pipeline.operations.withdrawal import withdraw
from datasets.pipeline.state.context import BuildContext
from datasets.pipeline.state.ledger_store import LedgerStore
from datasets.pipeline.state.signing import ReleaseSigner
from tests.deployment import mandate

REASON = "Two sellers' accounts were counted as persons."
MAY = {"measure": "actions", "period": "2026-05"}


def withdraw_release(place, release, reason=REASON):
    def record(act, subject, why):
        place.registry.audit.record_release_event(act, subject, mandate())

    seal = ReleaseSigner(place.registry.keys.release_signer(), place.registry.keys.release_verifier(), record)
    declared, now = find_dataset("moderation"), datetime.now(UTC)
    ledger = LedgerStore(f"sqlite:///{place.home / 'ledger.sqlite'}")
    try:
        return withdraw(place.releases, ledger, declared, release, reason, seal, now)
    finally:
        ledger.close()


def roll_back_june(place, release, reason=REASON):
    def record(act, subject, why):
        place.registry.audit.record_release_event(act, subject, mandate())

    seal = ReleaseSigner(place.registry.keys.release_signer(), place.registry.keys.release_verifier(), record)
    ledger = LedgerStore(f"sqlite:///{place.home / 'ledger.sqlite'}")
    try:
        context = BuildContext(place.releases, place.home / "private", ledger, seal)
        return roll_back(context, find_dataset("moderation"), Month.parse("2026-06"), release, reason)
    finally:
        ledger.close()
