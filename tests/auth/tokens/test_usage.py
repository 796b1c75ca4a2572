"""The usage of projects is counted and stored, on both databases."""

from datetime import date

import pytest

from auth.errors import RegistryUnavailable
from auth.tokens.usage import Usage, UsageStore

DAY = date(2026, 7, 1)


def test_the_usage_of_several_processes_is_summed_and_nothing_is_written_twice(populated, engine):
    project = populated.projects.list()[0].id
    one, other = UsageStore(engine), UsageStore(engine)
    for _ in range(3):
        one.add(project, DAY, Usage(1, 10, 100))
        other.add(project, DAY, Usage(1, 1, 1))
    assert one.usage_on(project, DAY) == Usage(3, 30, 300)
    assert (one.flush(), other.flush(), one.flush()) == (1, 1, 0)
    assert UsageStore(engine).usage_on(project, DAY) == Usage(6, 33, 303)
    assert one.last_days(project, DAY) == [(DAY, Usage(6, 33, 303))]
    assert one.usage_on(project, date(2026, 7, 2)) == Usage()


def test_usage_that_cannot_be_written_is_kept(populated, engine, monkeypatch):
    project = populated.projects.list()[0].id
    store = UsageStore(engine)
    store.add(project, DAY, Usage(1, 2, 3))

    def down(_engine):
        raise RegistryUnavailable("down")

    with monkeypatch.context() as patched:
        patched.setattr("auth.tokens.usage.write_transaction", down)
        with pytest.raises(RegistryUnavailable):
            store.flush()
    store.add(project, DAY, Usage(1, 2, 3))
    assert store.flush() == 1
    assert UsageStore(engine).usage_on(project, DAY) == Usage(2, 4, 6)
