"""What a project may take in a day: rows of answers, and bytes of answers and files.

What is refused, faulty or known already (304), and plans, cost nothing. An answer that breaks off after it has begun costs
what was sent of it: its bytes, and its rows unless the fault was ours.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from fastapi import Request

from api.access.registry_calls import call_registry
from api.settings import ApiSettings
from auth.registry import Registry
from auth.tokens.usage import Usage
from datasets.refusal import Refusal


class QuotaSpent(Refusal):
    """A project has taken what it may take in a day."""

    wait: int = 1
    policy: str = ""


async def ensure_quota_left(request: Request) -> None:
    """Behind authentication. Raises QuotaSpent, RegistryUnavailable."""
    settings: ApiSettings = request.app.state.settings
    registry: Registry = request.app.state.registry
    project, now = request.state.principal.project, datetime.now(UTC)
    if registry.in_process:
        taken = registry.usage.usage_on(project, now.date())
    else:
        taken = await call_registry(request, registry.usage.usage_on, project, now.date())
    for what, used, most in (
        ("rows", taken.rows, settings.quota_rows),
        ("bytes", taken.bytes, settings.quota_bytes),
    ):
        if used >= most:
            refusal = QuotaSpent(
                f"The quota of {most:,} {what} a day is spent: {used:,} were given to this project today. It begins anew at "
                "midnight UTC; GET /v1/me/usage shows what was taken.",
                parameter=what,
                value=str(used),
            )
            midnight = datetime.combine(now.date() + timedelta(days=1), time.min, UTC)
            refusal.wait, refusal.policy = round((midnight - now).total_seconds()) + 1, f"{what} per day"
            raise refusal


def mark_charged(request: Request, rows: int = 0) -> None:
    """Let what is answered be charged to the project that asks: its bytes when they are sent, and these rows."""
    request.state.charged_rows = rows


def record_usage(request: Request, sent: int, *, faulty: bool = False) -> None:
    """Put into the books what was sent, where it is charged: of an answer that a fault of ours broke off its bytes alone."""
    state = request.scope["state"]
    if "charged_rows" in state and "principal" in state and sent:
        registry: Registry = request.app.state.registry
        taken = Usage(1, 0 if faulty else state["charged_rows"], sent)
        registry.usage.add(state["principal"].project, datetime.now(UTC).date(), taken)
