"""The books of what projects took, on both databases."""

from datetime import date

import pytest

from auth.errors import RegistryUnavailable
from auth.tokens.usage import Taken, Usage

DAY = date(2026, 7, 1)


def books(registry):
    return Usage(registry._engine)


def test_processes_add_up_and_nothing_is_written_twice(populated):
    project = populated.list_projects()[0].id
    one, other = books(populated), books(populated)
    for _ in range(3):
        one.add(project, DAY, Taken(1, 10, 100))
        other.add(project, DAY, Taken(1, 1, 1))
    assert one.of(project, DAY) == Taken(3, 30, 300)
    assert (one.write(), other.write(), one.write()) == (1, 1, 0)
    assert books(populated).of(project, DAY) == Taken(6, 33, 303)
    assert one.days(project, DAY) == [(DAY, Taken(6, 33, 303))]
    assert one.of(project, date(2026, 7, 2)) == Taken()


def test_what_cannot_be_written_is_kept(populated, monkeypatch):
    project = populated.list_projects()[0].id
    book = books(populated)
    book.add(project, DAY, Taken(1, 2, 3))

    def down(_engine):
        raise RegistryUnavailable("down")

    with monkeypatch.context() as patched:
        patched.setattr("auth.tokens.usage.writing", down)
        with pytest.raises(RegistryUnavailable):
            book.write()
    book.add(project, DAY, Taken(1, 2, 3))
    assert book.write() == 1
    assert books(populated).of(project, DAY) == Taken(2, 4, 6)
