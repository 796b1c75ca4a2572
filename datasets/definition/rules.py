"""Checks that every declaration uses: names are well formed and unique, and an error says what would be right."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)

RESERVED = frozenset(
    "event_id unit_id unit_kind occurred_at measure group_by period freq release format level ratio "
    "share compare sort limit cursor labels shape confidence as_of cuboid total reason".split()
)
"""Columns of raw events and parameters of questions: no dimension, measure or value may have such a name."""


class DefinitionError(ValueError):
    """A declaration that contradicts itself; the message names the place and what would be right."""


def ensure(condition: bool, sentence: str) -> None:
    """Raises DefinitionError with this sentence if the condition does not hold."""
    if not condition:
        raise DefinitionError(sentence)


def ensure_unique(names: Iterable[str], where: str) -> None:
    twice = [name for name, times in Counter(names).items() if times > 1]
    ensure(not twice, f"{where}: {', '.join(twice)} stands more than once; every name may stand once")


def ensure_name(name: str, where: str) -> None:
    ensure(
        _NAME.fullmatch(name) is not None,
        f"{where}: {name!r} is not a name; names are lower case, start with a letter, and have at most 40 "
        "letters, digits and underscores",
    )
