"""A row is read again as soon as anything was committed, and not before; from whatever thread it is asked for."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event

from auth.errors import TokenRefused
from auth.tokens import principal_cache
from tests.auth.conftest import NOW, ask, mandate

ON_SQLITE = pytest.mark.parametrize("backend", ["sqlite"])


@pytest.fixture
def read(populated):
    """The statements that read a token's row, as they are sent."""
    sent = []

    def noted(_connection, _cursor, statement, *_):
        if "FROM token" in statement and "JOIN membership" in statement:
            sent.append(statement)

    event.listen(populated._engine, "before_cursor_execute", noted)
    return sent


@ON_SQLITE
def test_on_sqlite_a_row_is_read_once_until_something_is_committed(populated, read):
    text = populated.tokens.issue(ask(), mandate()).text
    for _ in range(5):
        populated.authenticator.principal(text, NOW)
    assert len(read) == 1
    populated.tokens.issue(ask(), mandate())
    populated.authenticator.principal(text, NOW)
    assert len(read) == 2


@ON_SQLITE
def test_what_another_program_writes_into_the_file_holds_from_the_next_call(populated):
    issued = populated.tokens.issue(ask(), mandate())
    populated.authenticator.principal(issued.text, NOW)
    file = populated._engine.url.database.removeprefix("file://")
    with sqlite3.connect(file) as other:
        other.execute("UPDATE token SET scopes = 'ads:read' WHERE jti = ?", (issued.token_id,))
    other.close()
    with pytest.raises(TokenRefused, match="not valid"):
        populated.authenticator.principal(issued.text, NOW)


def test_threads_that_ask_while_tokens_are_revoked_never_see_one_open_after_its_revocation(populated):
    texts = [populated.tokens.issue(ask(), mandate()).text for _ in range(8)]

    def used(text):
        for _ in range(20):
            populated.authenticator.principal(text, NOW)
        populated.tokens.revoke(text, mandate())
        try:
            populated.authenticator.principal(text, NOW)
        except TokenRefused as refused:
            return refused.cause
        return "open"

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(used, texts)) == {"revoked"}


@ON_SQLITE
def test_no_more_rows_are_kept_than_was_said(populated):
    kept = principal_cache.PrincipalCache(populated._engine, size=2)
    ids = [populated.tokens.issue(ask(), mandate()).token_id for _ in range(4)]
    assert [kept.find(token_id).kid for token_id in ids] == [kept.find(ids[0]).kid] * 4
    assert len(kept._rows) == 2
    kept.close()
