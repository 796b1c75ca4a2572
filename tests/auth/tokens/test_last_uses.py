"""The time of the last use of a token is collected in memory and written later."""

from __future__ import annotations

from datetime import timedelta

import pytest

from auth.errors import RegistryUnavailable
from auth.registry import open_registry
from tests.auth.conftest import NOW, ask, mandate


def test_last_uses_are_collected_and_written_by_flush(populated):
    issued = populated.tokens.issue(ask(), mandate())
    populated.authenticator.principal(issued.text, NOW)
    populated.authenticator.principal(issued.text, NOW + timedelta(seconds=5))
    assert populated.tokens.list(NOW)[0].last_used is None
    assert populated.authenticator.write_last_uses() == 1
    assert populated.tokens.list(NOW)[0].last_used == NOW + timedelta(seconds=5)
    assert populated.authenticator.write_last_uses() == 0


def test_last_uses_that_cannot_be_written_are_kept_for_the_next_flush(populated, attacker, caplog):
    populated.authenticator.principal(populated.tokens.issue(ask(), mandate()).text, NOW)
    attacker("ALTER TABLE token RENAME TO elsewhere", past_triggers=False)
    with pytest.raises(RegistryUnavailable):
        populated.authenticator.write_last_uses()
    populated.close()
    assert "could not be written" in caplog.text
    attacker("ALTER TABLE elsewhere RENAME TO token", past_triggers=False)
    assert populated.authenticator.write_last_uses() == 1


def test_closing_writes_the_last_uses(populated, settings):
    populated.authenticator.principal(populated.tokens.issue(ask(), mandate()).text, NOW)
    populated.close()
    again = open_registry(settings)
    assert again.tokens.list(NOW)[0].last_used == NOW
    again.close()
