"""Reads a published part: keeps every row, corrects and lists every quirk, and lists what cannot be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from datasets.refusal import Refusal, printable
from datasets.reports.official.part import Cell
from datasets.reports.official.parts import PARTS
from datasets.reports.official.template import CATEGORY, KEYWORD, PERIOD_COLUMN, Key, Template
from datasets.reports.published.text import normalise, parse_lines
from datasets.reports.published.value import PublishedValue, read_value

MAX_PART_BYTES = 64 << 20
PLACEHOLDERS = ("[", "…", "text to detail", "yyyy")
"""Marks in the official templates where the provider should write something."""
MACRO_CODES = {"iw": "he", "in": "id", "ji": "yi"}
"""Language codes withdrawn from ISO 639-1 in 1989, and their successors."""


class NotAPart(Refusal):
    """The file is not a part of the harmonised report that is available here."""


@dataclass(frozen=True)
class PublishedRow:
    """A row: its line in the file, its key, its description, and its values by the template's columns."""

    line: int
    key: Key
    described: str
    values: dict[str, PublishedValue]


@dataclass
class PublishedPart:
    """A part as it was published.

    `quirks` were corrected; the number says how often. `unreadable` has a sentence for each problem that could not be
    corrected. `unknown_rows` are not in the template; together with `rows` they are all rows of the file.
    """

    path: Path
    template: Template
    rows: list[PublishedRow] = field(default_factory=list)
    unknown_rows: list[PublishedRow] = field(default_factory=list)
    quirks: Counter[str] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)
    periods: tuple[str, ...] = ()
    services: tuple[str, ...] = ()

    @property
    def cells(self) -> dict[Cell, float]:
        """The number of each cell that has one. Repeated rows, such as KEYWORD_OTHER, are summed if they are counts and
        left out if they are not."""
        found: dict[Cell, float] = {}
        times = Counter(row.key for row in self.rows)
        for row in self.rows:
            for column, value in row.values.items():
                if value.number is None or (times[row.key] > 1 and not is_count(column, row.key)):
                    continue
                found[row.key, column] = found.get((row.key, column), 0.0) + value.number
        return found


def is_count(column: str, key: Key) -> bool:
    """Whether a cell is a count, and therefore whole and additive; other cells are hours or shares."""
    words = normalise(f"{column} {' '.join(key)}")
    return not any(word in words for word in ("median time", "accuracy", "percentage"))


def is_share(column: str, key: Key) -> bool:
    words = normalise(f"{column} {' '.join(key)}")
    return "accuracy" in words or "percentage" in words


def read_part(path: Path) -> PublishedPart:
    """The part in a CSV file. Raises NotAPart if it is not a part, or not one that releases can be compared with."""
    if not path.is_file() or path.stat().st_size > MAX_PART_BYTES:
        raise NotAPart(f"{path}: is not a file of at most {MAX_PART_BYTES >> 20} MiB; name a part as CSV")
    quirks: Counter[str] = Counter()
    lines = parse_lines(path.read_bytes(), lambda quirk: quirks.update([quirk]))
    if not lines:
        raise NotAPart(f"{path.name}: the file is empty; name a part of a harmonised report as CSV")
    template = _find_template(path, lines[0])
    part = PublishedPart(path, template, quirks=quirks)
    places = _find_columns(part, lines[0])
    _read_rows(part, lines[1:], places)
    _read_periods_and_services(part, lines[1:], places)
    return part


def _find_template(path: Path, header: Sequence[str]) -> Template:
    """The template with these columns; if several have the same columns, the one that the file name names."""
    names = {normalise(name) for name in header if name.strip()}
    fitting = [
        p.template for p in PARTS.values() if {normalise(name) for name in p.template.header} <= names | {""}
    ]
    if not fitting:
        near = [p.template for p in PARTS.values()]
        fitting = [t for t in near if _stem(path).startswith(t.name.casefold()[:12])]
        fitting = [
            t
            for t in fitting
            if len({normalise(n) for n in t.leading + t.measures} & names) >= len(t.leading)
        ]
    if not fitting:
        raise NotAPart(
            f"{path.name}: its columns match no part that can be compared with releases; those are {', '.join(PARTS)}",
            allowed=PARTS,
        )
    number = _stem(path)[:2].strip("_")
    named = [template for template in fitting if template.name.split("_")[0] == number]
    if len(fitting) > 1 and not named:
        raise NotAPart(
            f"{path.name}: {' and '.join(t.name for t in fitting)} have the same columns; name the file after its part",
            allowed=[t.name for t in fitting],
        )
    return (named or fitting)[0]


def _stem(path: Path) -> str:
    return path.stem.casefold().strip()


def _find_columns(part: PublishedPart, header: Sequence[str]) -> dict[str, int]:
    """The position of each of the template's columns in the file."""
    known = {normalise(name): name for name in part.template.header}
    places: dict[str, int] = {}
    for place, name in enumerate(header):
        official = known.get(normalise(name))
        if official is None:
            part.quirks[
                "a column without a name" if not name.strip() else f"an unknown column {printable(name)!r}"
            ] += 1
        elif official in places:
            part.quirks[f"the column {official.strip()!r} is there twice; the first is read"] += 1
        else:
            places[official] = place
            if name != official:
                part.quirks["a column name that differs from the template's spelling"] += 1
    for name in part.template.measures:
        if name not in places:
            part.unreadable.append(f"the column {name.strip()!r} is missing")
    stem = _stem(part.path).removesuffix(".csv")
    if stem != part.template.name.casefold():
        part.quirks[f"the file is named {part.path.name}, not {part.template.name}.csv"] += 1
    return places


def _read_rows(part: PublishedPart, lines: Sequence[Sequence[str]], places: dict[str, int]) -> None:
    by_key = {_normalise_key(row.key): row.key for row in part.template.rows}
    category = ""
    for number, fields in enumerate(lines, 2):

        def get(name: str, fields: Sequence[str] = fields) -> str:
            place = places.get(name)
            return fields[place] if place is not None and place < len(fields) else ""

        _note_unknown_fields(part, number, fields, places)
        key, category = _row_key(part, get, category)
        values = {column: read_value(get(column)) for column in part.template.measures if column in places}
        row = PublishedRow(
            number, by_key.get(_normalise_key(key), key), get(_description_column(part)), values
        )
        _note_row_quirks(part, row)
        if _normalise_key(key) in by_key:
            part.rows.append(row)
        else:
            part.unknown_rows.append(row)
            what = (
                "a placeholder of the template"
                if _is_placeholder(" ".join(key))
                else "not a row of the template"
            )
            part.unreadable.append(f"line {number}: {' / '.join(key)[:90]} is {what}; left out")
    for key, times in Counter(row.key for row in part.rows).items():
        if times > 1:
            part.quirks[f"{times} rows {' / '.join(k.strip() for k in key)}: their counts are summed"] += 1


def _description_column(part: PublishedPart) -> str:
    return next((name for name in part.template.leading if name.startswith("Description")), "")


def _row_key(part: PublishedPart, get: Callable[[str], str], category: str) -> tuple[Key, str]:
    """The key of a row, and the category of the keywords in the rows after it."""
    leading = part.template.leading
    if "Indicator" in leading:
        scope = get("Scope").strip()
        if scope.casefold() in MACRO_CODES:
            part.quirks[f"the language code {scope!r} instead of {MACRO_CODES[scope.casefold()]!r}"] += 1
            scope = MACRO_CODES[scope.casefold()]
        return (get("Indicator"), scope), category
    code = get(leading[3]).strip().upper()
    behind = (get("Scope").strip(),) if "Scope" in leading else ()
    if code.startswith(CATEGORY):
        category = code
    if code.startswith(KEYWORD) and category:
        return (category, code, *behind), category
    return (code, *behind), category


def _note_row_quirks(part: PublishedPart, row: PublishedRow) -> None:
    if _is_placeholder(row.described):
        part.quirks["the template's text left in a description"] += 1
    for column, value in row.values.items():
        if value.correction:
            part.quirks[value.correction] += 1
        if value.unreadable:
            where = " / ".join(each.strip() for each in row.key)
            part.unreadable.append(
                f"line {row.line}: {where}, {column.strip()}: {printable(value.text)!r} is not a number"
            )


def _note_unknown_fields(
    part: PublishedPart, number: int, fields: Sequence[str], places: dict[str, int]
) -> None:
    taken = set(places.values())
    for place, text in enumerate(fields):
        if place not in taken and text.strip():
            part.unreadable.append(
                f"line {number}: {printable(text)!r} is in field {place + 1}, which has no known name"
            )


def _read_periods_and_services(
    part: PublishedPart, lines: Sequence[Sequence[str]], places: dict[str, int]
) -> None:
    def distinct(column: str) -> tuple[str, ...]:
        place = places.get(column)
        found = (line[place].strip() for line in lines if place is not None and place < len(line))
        return tuple(dict.fromkeys(text for text in found if text))

    part.periods, part.services = distinct(PERIOD_COLUMN), distinct("Service")
    if len({normalise(name) for name in part.services}) < len(part.services):
        part.quirks[f"the service is spelled {' and '.join(part.services)}"] += 1
    if len(part.periods) > 1:
        part.quirks[f"several reporting periods: {', '.join(part.periods[:4])}"] += 1


def _normalise_key(key: Key) -> tuple[str, ...]:
    return tuple(normalise(each) for each in key)


def _is_placeholder(text: str) -> bool:
    return any(mark in text.casefold() for mark in PLACEHOLDERS)
