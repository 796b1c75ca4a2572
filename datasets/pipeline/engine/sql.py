"""Names, constants and code lists as SQL text for DuckDB."""

from __future__ import annotations

from collections.abc import Iterable


def quote_name(name: str) -> str:
    """A name as an SQL identifier.

    >>> quote_name('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'


def string_literal(value: str) -> str:
    """A trusted constant, such as a code, as an SQL string literal.

    >>> string_literal("it's")
    "'it''s'"
    """
    return "'" + value.replace("'", "''") + "'"


def enum_type(codes: Iterable[str]) -> str:
    """The SQL type of a code list: its codes in order, so that `enum_code` is the position in the list."""
    return f"ENUM({', '.join(map(string_literal, codes))})"
