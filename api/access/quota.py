"""The quota of a project: rows of answers, and bytes of answers and files, per day (UTC).

Refusals, failures, 304 and plans cost nothing. An answer that is broken off after it has begun costs its bytes that were
sent, and its rows unless the server failed.
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
    """A project has used its quota for the day."""

    wait: int = 1
    policy: str = ""


async def ensure_quota_left(request: Request) -> None:
    """Runs after authentication. Raises QuotaSpent, RegistryUnavailable."""
    settings: ApiSettings = request.app.state.settings
    registry: Registry = request.app.state.registry
    project, now = request.state.principal.project, datetime.now(UTC)
    if registry.in_process:
        usage = registry.usage.usage_on(project, now.date())
    else:
        usage = await call_registry(request, registry.usage.usage_on, project, now.date())
    for unit, used, quota in (
        ("rows", usage.rows, settings.quota_rows),
        ("bytes", usage.bytes, settings.quota_bytes),
    ):
        if used >= quota:
            raise _quota_spent(unit, used, quota, now)


def _quota_spent(unit: str, used: int, quota: int, now: datetime) -> QuotaSpent:
    refusal = QuotaSpent(
        f"This project has used {used:,} of its {quota:,} {unit} for today. The quota is reset at midnight UTC; "
        "GET /v1/me/usage shows the usage.",
        parameter=unit,
        value=str(used),
    )
    midnight = datetime.combine(now.date() + timedelta(days=1), time.min, UTC)
    refusal.wait, refusal.policy = round((midnight - now).total_seconds()) + 1, f"{unit} per day"
    return refusal


def mark_charged(request: Request, rows: int = 0) -> None:
    """Have the answer charged to the project: these rows, and its bytes as they are sent."""
    request.state.charged_rows = rows


def record_usage(request: Request, sent: int, *, faulty: bool = False) -> None:
    """Add an answer to the project's usage if it is charged; only its bytes if a fault of the server broke it off."""
    state = request.scope["state"]
    if "charged_rows" in state and "principal" in state and sent:
        registry: Registry = request.app.state.registry
        usage = Usage(1, 0 if faulty else state["charged_rows"], sent)
        registry.usage.add(state["principal"].project, datetime.now(UTC).date(), usage)
