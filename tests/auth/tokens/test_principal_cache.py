"""A cached row is valid until something is committed, in every thread."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, event

from auth.errors import TokenRefused
from auth.tokens import principal_cache
from tests.auth.conftest import NOW, ask, mandate

ON_SQLITE = pytest.mark.parametrize("backend", ["sqlite"])


@pytest.fixture
def read():
    """The statements that read a token's row, as they are sent."""
    sent = []

    def record_query(_connection, _cursor, statement, *_):
        if "FROM token" in statement and "JOIN membership" in statement:
            sent.append(statement)

    event.listen(Engine, "before_cursor_execute", record_query)
    yield sent
    event.remove(Engine, "before_cursor_execute", record_query)


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
def test_a_change_of_the_file_by_another_program_takes_effect_on_the_next_call(populated, settings):
    issued = populated.tokens.issue(ask(), mandate())
    populated.authenticator.principal(issued.text, NOW)
    with sqlite3.connect(settings.home / "registry.sqlite") as other:
        other.execute("UPDATE token SET scopes = 'ads:read' WHERE jti = ?", (issued.token_id,))
    other.close()
    with pytest.raises(TokenRefused, match="not valid"):
        populated.authenticator.principal(issued.text, NOW)


def test_no_thread_sees_a_token_as_valid_after_its_revocation(populated):
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
def test_no_more_rows_are_kept_than_the_size_of_the_cache(populated, engine, read):
    cache = principal_cache.PrincipalCache(engine, size=2)
    ids = [populated.tokens.issue(ask(), mandate()).token_id for _ in range(4)]
    found = [cache.find(token_id) for token_id in ids]
    assert len({row.kid for row in found if row is not None}) == 1
    assert len(read) == 4
    for token_id in (ids[3], ids[2]):
        assert cache.find(token_id) is not None
    assert len(read) == 4, "the last two are kept"
    assert cache.find(ids[1]) is not None
    assert len(read) == 5, "and no other"
    cache.close()
