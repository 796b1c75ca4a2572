"""/v1/admin/releases: withdrawal over HTTP, and by two persons."""

import os
from datetime import UTC, datetime

import pytest

from auth.audit.chain import Mandate
from auth.errors import NotAllowed
from auth.registry import open_registry
from cli.terminal import release_action_recorder
from datasets.catalogue import find_dataset
from datasets.pipeline.operations.withdrawal import withdraw
from datasets.pipeline.state.ledger_store import LedgerStore
from datasets.pipeline.state.signing import ReleaseSigner
from tests.api.conftest import ensure_problem
from tests.api.routes.admin.conftest import QUESTION


def test_a_release_is_withdrawn_only_by_a_second_person(place, monkeypatch):
    settings = place.registry_settings.model_copy(update={"four_eyes": "release-withdrawal"})
    registry, moderation = open_registry(settings), find_dataset("moderation")
    seal = ReleaseSigner(
        registry.keys.release_signer(), registry.keys.release_verifier(), release_action_recorder(registry)
    )
    why, now = "The codes of two categories were swapped.", datetime.now(UTC)

    def attempt():
        return withdraw(place.releases, ledger, moderation, "2026-06.1", why, seal, now)

    ledger = LedgerStore(f"sqlite:///{place.home / 'ledger.sqlite'}")
    try:
        for words in ("waits for another person", "another person must"):
            with pytest.raises(NotAllowed, match=words):
                attempt()
            assert not list(place.releases.rglob("*erratum*"))
        another = 0 if os.getuid() else 1
        monkeypatch.setattr("cli.terminal.os.getuid", lambda: another)
        attempt()
    finally:
        ledger.close()
        registry.close()
    with place.client(place.token()) as client:
        assert client.get(f"{QUESTION}&release=2026-06.1").status_code == 410
    acts = [line["act"] for line in place.registry.audit.export() if "act" in line]
    assert acts.index("release-withdrawal.asked") < acts.index("release.withdrawn")


def test_a_withdrawal_is_requested_over_http_and_done_by_another_person_on_the_host_that_builds(place, owner):
    answer = owner.post("/v1/admin/releases/moderation/2026-06.1/withdraw", json={"reason": "wrong codes"})
    assert answer.status_code == 202
    settings = place.registry_settings.model_copy(update={"four_eyes": "release-withdrawal"})
    registry = open_registry(settings)
    try:
        release_action_recorder(registry)("release.withdrawn", "moderation/2026-06.1", "the codes were wrong")
        with pytest.raises(NotAllowed, match="waits for another person"):
            release_action_recorder(registry)(
                "release.withdrawn", "moderation/2026-05.1", "the codes were wrong"
            )
        with pytest.raises(NotAllowed, match="another person must"):
            release_action_recorder(registry)(
                "release.withdrawn", "moderation/2026-05.1", "the codes were wrong"
            )
        another = Mandate("cli:another", "the codes were wrong", datetime.now(UTC))
        assert registry.consents.consent_to_withdrawal("moderation/2026-05.1", another)
    finally:
        registry.close()
    owner.post("/v1/admin/releases/moderation/2026-05.1/withdraw", json={"reason": "wrong codes"})
    unknown = owner.post("/v1/admin/releases/moderation/2020-01.1/withdraw", json={"reason": "wrong codes"})
    ensure_problem(unknown, 404, "unknown-release")
