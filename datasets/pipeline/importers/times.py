"""The formats of times in a table: how a mapping names one, its SQL, and which one fits a column that has none."""

from __future__ import annotations

import re
from dataclasses import dataclass

import duckdb

from datasets.period import Month
from datasets.pipeline.engine.fitting import names_no_zone_sql, text_time_sql
from datasets.pipeline.engine.sql import quote_name, string_literal
from datasets.refusal import printable

EPOCHS = {"epoch_s": "1000000", "epoch_ms": "1000", "epoch_us": "1", "epoch_ns": "0.001"}
"""Formats of numbers that count from 1970 in UTC, each with the microseconds of its unit."""

_OFFSET = re.compile(r"([+-])(0\d|1[0-3]):([0-5]\d)|([+-])14:00")
_TOO_FAR = r"[+-]((1[5-9]|[2-9]\d)(:?\d\d)?|\d\d:?[6-9]\d)"
"""Offsets from UTC that no zone has and that DuckDB reads all the same (docs/traps.md#duckdb-offsets-of-days)."""
_DATES = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d %b %Y",
    "%b %d, %Y",
)
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")
_OTHERS = (
    "%Y%m%d", "%Y%m%d%H", "%Y%m%d%H%M", "%Y%m%d%H%M%S", "%y%m%d", "%y%m%d%H", "%y%m%d%H%M", "%Y-%m-%d %H",
    "%a %b %d %H:%M:%S %Y", "%a, %d %b %Y %H:%M:%S %z", "%a %b %d %H:%M:%S %z %Y", "%d/%b/%Y:%H:%M:%S %z",
    "%Y-%m-%d %H:%M:%S %z", "%Y-%m-%d %H:%M:%S %Z",
)  # fmt: skip
PROPOSED = (*EPOCHS, *(date + clock for date in _DATES for clock in _CLOCKS), *_OTHERS)
"""Formats that are tried on a column without one."""


class BadTimeFormat(ValueError):
    """A format or a zone of a mapping is not one; the text says why."""


@dataclass(frozen=True)
class TimeFormat:
    """How a column tells times: `format` is one of EPOCHS, a pattern of strptime, or None for ISO 8601; `zone` is the zone of
    times that name none, an IANA name or an offset. Without a zone they are UTC.

    Raises BadTimeFormat.
    """

    format: str | None = None
    zone: str | None = None

    def __post_init__(self) -> None:
        stored = self._stored_type()
        if self.zone is not None and (self.format in EPOCHS or stored == _WITH_ZONE):
            raise BadTimeFormat(
                f"the format {printable(str(self.format))!r} takes no zone: its times name one, or are UTC"
            )
        if self.zone is not None and self.zone != "UTC" and not _OFFSET.fullmatch(self.zone):
            _ensure_zone(self.zone)

    def sql(self, column: str) -> str:
        """SQL for the time that a source column tells, as a TIMESTAMP in UTC; NULL if it tells none."""
        text = f"CAST({quote_name(column)} AS VARCHAR)"
        if self.format in EPOCHS:
            number = f"TRY_CAST({text} AS DECIMAL(38, 9))"
            return f"TRY(make_timestamp(floor({number} * {EPOCHS[self.format]})::BIGINT))"
        if self.format is None:
            local, other = self._utc_sql(f"TRY_CAST({text} AS TIMESTAMP)"), text_time_sql(text)
            return f"CASE WHEN {names_no_zone_sql(text)} THEN {local} ELSE {other} END"
        return self._strptime_sql(text, self.format)

    def _strptime_sql(self, text: str, pattern: str) -> str:
        parsed = f"try_strptime({text}, {string_literal(pattern)})"
        stored = self._stored_type()
        if stored == _WITH_ZONE:
            where = rf"{_TOO_FAR}$" if pattern.endswith("%z") else rf"\s{_TOO_FAR}(\s|$)"
            return (
                f"CASE WHEN NOT regexp_matches({text}, '{where}') THEN make_timestamp(epoch_us({parsed})) END"
            )
        return self._utc_sql(
            f"make_timestamp(epoch_ns({parsed}) // 1000)" if stored == "TIMESTAMP_NS" else parsed
        )

    def _stored_type(self) -> str:
        """The SQL type that DuckDB gives to times of this pattern."""
        if self.format is None or self.format in EPOCHS:
            return "TIMESTAMP"
        try:
            with duckdb.connect(config={"threads": 1}) as con:
                sql = f"SELECT typeof(try_strptime('', {string_literal(self.format)}))"
                return str(con.execute(sql).fetchall()[0][0])
        except duckdb.Error:
            raise BadTimeFormat(
                f"{printable(self.format)!r} is no format of times; write {', '.join(EPOCHS)} or a pattern such as "
                "%Y-%m-%d %H:%M:%S"
            ) from None

    def _utc_sql(self, local: str) -> str:
        """SQL for a local time in UTC; NULL for one that clocks skip. Of an hour that they repeat it is the second."""
        zone = self.zone or "UTC"
        if zone == "UTC":
            return local
        if _OFFSET.fullmatch(zone):
            minutes = int(zone[1:3]) * 60 + int(zone[4:])
            return f"({local} {'-' if zone[0] == '+' else '+'} INTERVAL '{minutes} minutes')"
        name = string_literal(zone)
        moment = f"timezone({name}, {local})"
        return f"CASE WHEN timezone({name}, {moment}) = {local} THEN make_timestamp(epoch_us({moment})) END"


_WITH_ZONE = "TIMESTAMP WITH TIME ZONE"


def _ensure_zone(zone: str) -> None:
    with duckdb.connect(config={"threads": 1}) as con:
        known = con.execute("SELECT count(*) FROM pg_timezone_names() WHERE name = ?", [zone]).fetchall()[0][
            0
        ]
    if not known or "/" not in zone:
        raise BadTimeFormat(
            f"{printable(zone)!r} is no time zone; write a name such as Europe/Paris, an offset such as +08:00, or UTC"
        )


class FormatSearch:
    """Finds the formats that fit every row of a column: they read all values, and most of them as times of the month."""

    def __init__(self, month: Month) -> None:
        self._month = month
        self._left: dict[str, int] = dict.fromkeys(PROPOSED, 0)

    def add(self, con: duckdb.DuckDBPyConnection, relation: str, column: str) -> None:
        """Try the formats that are left on the values of a column that are not empty."""
        for form in list(self._left):
            told = TimeFormat(form).sql(column)
            start, end = (
                f"TIMESTAMP '{moment:%Y-%m-%d}'" for moment in (self._month.start, self._month.next.start)
            )
            rows, read, inside = con.execute(
                f"SELECT count(*), count(t), count(*) FILTER (t >= {start} AND t < {end}) FROM (SELECT {told} AS t "
                f"FROM {relation} WHERE trim(CAST({quote_name(column)} AS VARCHAR)) <> '')"
            ).fetchall()[0]
            if read < rows:
                del self._left[form]
            else:
                self._left[form] += inside

    def found(self) -> tuple[str, ...]:
        """The formats that fit, those with the most times of the month; empty if there is none."""
        best = max(self._left.values(), default=0)
        return tuple(form for form, inside in self._left.items() if inside == best and best > 0)
