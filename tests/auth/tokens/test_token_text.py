"""The text of a token is in no log and no database, and a refusal does not reveal its cause."""

from __future__ import annotations

import logging

import pytest
from sqlalchemy import create_engine, text

from auth.errors import TokenRefused
from auth.settings import RegistrySettings
from tests.auth.conftest import NOW, ask, mandate
from tests.auth.tokens.conftest import refusal_cause


def test_every_refusal_looks_the_same_from_outside(populated):
    issued = populated.tokens.issue(ask(), mandate())
    populated.tokens.revoke(issued.token_id, mandate())
    refusals = set()
    for bad in ("", "a.b.c", issued.text, issued.text[:-2]):
        with pytest.raises(TokenRefused) as refused:
            populated.authenticator.principal(bad, NOW)
        refusals.add((str(refused.value), refused.value.value, refused.value.parameter))
    assert len(refusals) == 1


def test_no_log_line_contains_a_token(populated, caplog):
    caplog.set_level(logging.DEBUG)
    issued = populated.tokens.issue(ask(), mandate())
    populated.authenticator.principal(issued.text, NOW)
    populated.tokens.revoke(issued.text, mandate())
    refusal_cause(populated, issued.text)
    refusal_cause(populated, issued.text + "x")
    assert "token revoked" in caplog.text and "token refused" in caplog.text
    lines = "\n".join(str(record.__dict__) for record in caplog.records)
    for segment in issued.text.split("."):
        assert segment not in lines
    assert issued.text not in repr(issued)


def test_a_token_is_stored_nowhere(populated, settings):
    text = populated.tokens.issue(ask(), mandate()).text
    populated.close()
    stored = b"".join(file.read_bytes() for file in settings.home.rglob("*") if file.is_file())
    if not populated.in_process:
        stored += dump_postgresql(settings).encode()
    assert b"REQ-1" in stored
    for segment in text.split(".")[1:]:
        assert segment.encode() not in stored


def dump_postgresql(settings: RegistrySettings) -> str:
    engine = create_engine(settings.registry_url)
    with engine.connect() as connection:
        tables = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        rows = [str(connection.execute(text(f"SELECT * FROM {name}")).all()) for (name,) in tables]
    engine.dispose()
    return "".join(rows)
