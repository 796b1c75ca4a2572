"""The format `table`: any CSV or Parquet file, with a mapping file that says which column becomes what."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from datasets.definition import Dataset
from datasets.pipeline.engine.columns import EventColumn, Kind, event_columns
from datasets.pipeline.engine.sql import quote_name, string_literal
from datasets.pipeline.importers.event_writer import ColumnMapping
from datasets.pipeline.importers.layout import SourceLayout
from datasets.pipeline.importers.sources import ensure_columns
from datasets.pipeline.importers.times import BadTimeFormat, TimeFormat
from datasets.refusal import Refusal, did_you_mean, printable

ALWAYS = ("event_id", "unit_id", "unit_kind", "occurred_at")
_MOMENT = "occurred_at"
_MAX_MAPPING_BYTES = 1 << 20


class BadMapping(Refusal):
    """The mapping file cannot be used."""


class FromColumn(BaseModel):
    """A column of the source, with values translated by `codes`; other values become `otherwise` or stay unchanged.

    For the column of times, `format` and `zone` say how it tells them (`TimeFormat`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: str = Field(min_length=1)
    codes: Mapping[str, str] = {}
    otherwise: str | None = None
    format: str | None = Field(default=None, max_length=100)
    zone: str | None = Field(default=None, max_length=100)

    @property
    def tells_times(self) -> bool:
        """Whether it says how the column tells times."""
        return self.format is not None or self.zone is not None


class Constant(BaseModel):
    """The same value in every row."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    constant: str | int | bool


class MappingFile(BaseModel):
    """A mapping file: `schema` and `unit` are sentences for the public manifest; `columns` maps each column."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_name: str = Field(alias="schema", min_length=1, max_length=200)
    unit: str = Field(min_length=1, max_length=500)
    columns: Mapping[str, str | Constant | FromColumn]
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: str = Field(default="utf-8-sig", pattern="^(utf-8|utf-8-sig|latin-1|cp1252|utf-16)$")


class MappedTable:
    """The format `table`, with its mapping."""

    name = "table"
    dataset = None
    suffixes = (".csv", ".zip", ".parquet")

    def __init__(self, mapping: Path, dataset: Dataset) -> None:
        """Read the mapping file. Raises BadMapping."""
        self._mapping = _read_mapping(mapping)
        self._columns = {column.name: column for column in event_columns(dataset)}
        self.delimiter, self.encoding = self._mapping.delimiter, self._mapping.encoding
        self._check(mapping, dataset)

    def layout(self, dataset: Dataset, file: str, header: tuple[str, ...]) -> SourceLayout:
        """How to read a file with these columns. Raises UnreadableFile."""
        wanted = tuple(named for given in self._mapping.columns.values() if (named := _source_column(given)))
        ensure_columns(file, header, wanted, "file that the mapping describes")
        columns = {name: _expression_sql(given) for name, given in self._mapping.columns.items()}
        mapped = ColumnMapping(
            columns, reads=wanted, untold_time=_untold_time(self._mapping.columns[_MOMENT])
        )
        return SourceLayout(self._mapping.schema_name, self._mapping.unit, mapped)

    def _check(self, path: Path, dataset: Dataset) -> None:
        for name in ALWAYS:
            if name not in self._mapping.columns:
                raise BadMapping(f"{path} does not map {name!r}; add it under [columns]")
        for name, given in self._mapping.columns.items():
            if name not in self._columns:
                raise BadMapping(
                    f"{path} maps {printable(name)!r}, which is not a column of {dataset.name}; it has "
                    f"{', '.join(self._columns)}." + did_you_mean(name, self._columns)
                )
            if isinstance(given, FromColumn) and given.tells_times:
                _ensure_times(path, name, given)
            for code in _codes_written(given):
                _ensure_code(path, self._columns[name], code)


def _read_mapping(path: Path) -> MappingFile:
    try:
        if path.stat().st_size > _MAX_MAPPING_BYTES:
            raise BadMapping(f"--mapping {path} is larger than 1 MiB; a mapping is a short TOML file")
        return MappingFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError:
        raise BadMapping(
            f"--mapping {path} cannot be read; name a TOML file that says which column becomes what"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadMapping(f"--mapping {path} is not TOML: {printable(str(error))}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the whole file"
        raise BadMapping(
            f"--mapping {path} is malformed at {printable(place)}: {printable(first['msg'])}"
        ) from None


def _source_column(given: str | Constant | FromColumn) -> str | None:
    if isinstance(given, Constant):
        return None
    return given if isinstance(given, str) else given.column


def _untold_time(given: str | Constant | FromColumn) -> str:
    """The source's column of times, if the mapping gives neither their format nor codes."""
    if isinstance(given, FromColumn) and (
        given.format is not None or given.codes or given.otherwise is not None
    ):
        return ""
    return _source_column(given) or ""


def _codes_written(given: str | Constant | FromColumn) -> tuple[str, ...]:
    """The codes that the mapping itself writes."""
    if isinstance(given, Constant):
        return (_constant_text(given),)
    if isinstance(given, str):
        return ()
    return (*given.codes.values(), *(() if given.otherwise is None else (given.otherwise,)))


def _constant_text(given: Constant) -> str:
    return str(given.constant).lower() if isinstance(given.constant, bool) else str(given.constant)


def _ensure_code(path: Path, column: EventColumn, code: str) -> None:
    if column.kind in {Kind.CODE, Kind.UNIT_KIND} and code not in column.codes:
        raise BadMapping(
            f"{path} gives {column.name} the code {printable(code)!r}, which is not in its code list; the list has "
            f"{', '.join(column.codes[:8])}{' …' if len(column.codes) > 8 else ''}."
            + did_you_mean(code, column.codes)
        )


def _ensure_times(path: Path, name: str, given: FromColumn) -> None:
    """Raises BadMapping if a column may not say how it tells times, or says it wrongly."""
    if name != _MOMENT:
        raise BadMapping(f"{path} gives {name} a format or a zone of times, which only {_MOMENT} has")
    if given.codes or given.otherwise is not None:
        raise BadMapping(f"{path} gives {name} both codes and a format or a zone of times; choose one")
    try:
        TimeFormat(given.format, given.zone)
    except BadTimeFormat as error:
        raise BadMapping(f"{path} says of {name}: {error}") from None


def _expression_sql(given: str | Constant | FromColumn) -> str:
    if isinstance(given, Constant):
        return string_literal(_constant_text(given))
    if isinstance(given, str):
        return quote_name(given)
    if given.tells_times:
        return TimeFormat(given.format, given.zone).sql(given.column)
    name = quote_name(given.column)
    if not given.codes and given.otherwise is None:
        return name
    as_text = f"CAST({name} AS VARCHAR)"
    whens = " ".join(
        f"WHEN {string_literal(theirs)} THEN {string_literal(ours)}" for theirs, ours in given.codes.items()
    )
    otherwise = as_text if given.otherwise is None else string_literal(given.otherwise)
    return f"CASE coalesce({as_text}, '') {whens} ELSE {otherwise} END" if whens else otherwise
