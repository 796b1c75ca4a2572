"""Reading a published part: every row is kept, every quirk is mended and listed, and so is what cannot be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from datasets.refusal import Refusal, printable
from datasets.reports.official.part import Cell
from datasets.reports.official.parts import PARTS
from datasets.reports.official.template import CATEGORY, KEYWORD, PERIOD_COLUMN, Key, Template
from datasets.reports.published.text import lines_of, plain
from datasets.reports.published.value import Value, read_value

LARGEST = 64 << 20
PLACEHOLDERS = ("[", "…", "text to detail", "yyyy")
"""What the official templates hold where the provider should write something."""
MACRO_CODES = {"iw": "he", "in": "id", "ji": "yi"}
"""Codes of languages withdrawn from ISO 639-1 in 1989, and what they are now."""


class NotAPart(Refusal):
    """A file that is no part of a harmonised report that is made here."""


@dataclass(frozen=True)
class PublishedRow:
    """A row: its line in the file, what tells it apart, and its values by the template's columns."""

    line: int
    key: Key
    described: str
    values: dict[str, Value]


@dataclass
class PublishedPart:
    """A part as it was published.

    `quirks` were mended, with how often; `unread` could not be, a sentence for each. Rows that the template does not have are
    in `strange`; together with `rows` they are all that the file holds.
    """

    path: Path
    template: Template
    rows: list[PublishedRow] = field(default_factory=list)
    strange: list[PublishedRow] = field(default_factory=list)
    quirks: Counter[str] = field(default_factory=Counter)
    unread: list[str] = field(default_factory=list)
    periods: tuple[str, ...] = ()
    services: tuple[str, ...] = ()

    @property
    def cells(self) -> dict[Cell, float]:
        """The number of each cell that has one; rows that stand several times, such as KEYWORD_OTHER, are added up where they
        are counts, and left out where they are not."""
        found: dict[Cell, float] = {}
        times = Counter(row.key for row in self.rows)
        for row in self.rows:
            for column, value in row.values.items():
                if value.number is None or (times[row.key] > 1 and not is_count(column, row.key)):
                    continue
                found[row.key, column] = found.get((row.key, column), 0.0) + value.number
        return found


def is_count(column: str, key: Key) -> bool:
    """Whether a cell counts something, and so is whole and adds up; others are hours or shares."""
    words = plain(f"{column} {' '.join(key)}")
    return not any(word in words for word in ("median time", "accuracy", "percentage"))


def is_share(column: str, key: Key) -> bool:
    words = plain(f"{column} {' '.join(key)}")
    return "accuracy" in words or "percentage" in words


def read_part(path: Path) -> PublishedPart:
    """The part in a CSV file. Raises NotAPart where it is none, or none that releases say anything of."""
    if not path.is_file() or path.stat().st_size > LARGEST:
        raise NotAPart(f"{path}: there is no file here of at most {LARGEST >> 20} MiB; name a part as CSV")
    quirks: Counter[str] = Counter()
    lines = lines_of(path.read_bytes(), lambda quirk: quirks.update([quirk]))
    if not lines:
        raise NotAPart(f"{path.name}: the file is empty; name a part of a harmonised report as CSV")
    template = _recognised(path, lines[0])
    part = PublishedPart(path, template, quirks=quirks)
    places = _places(part, lines[0])
    _read_rows(part, lines[1:], places)
    _take_names(part, lines[1:], places)
    return part


def _recognised(path: Path, header: Sequence[str]) -> Template:
    """The template whose columns these are; among those with the same columns, the one that the file is named after."""
    names = {plain(name) for name in header if name.strip()}
    fitting = [
        p.template for p in PARTS.values() if {plain(name) for name in p.template.header} <= names | {""}
    ]
    if not fitting:
        near = [p.template for p in PARTS.values()]
        fitting = [t for t in near if _stem(path).startswith(t.name.casefold()[:12])]
        fitting = [
            t for t in fitting if len({plain(n) for n in t.leading + t.measures} & names) >= len(t.leading)
        ]
    if not fitting:
        raise NotAPart(
            f"{path.name}: its columns are those of no part that releases say anything of; these are {', '.join(PARTS)}",
            allowed=PARTS,
        )
    number = _stem(path)[:2].strip("_")
    named = [template for template in fitting if template.name.split("_")[0] == number]
    if len(fitting) > 1 and not named:
        raise NotAPart(
            f"{path.name}: {' and '.join(t.name for t in fitting)} have the same columns; name the file after the one it is",
            allowed=[t.name for t in fitting],
        )
    return (named or fitting)[0]


def _stem(path: Path) -> str:
    return path.stem.casefold().strip()


def _places(part: PublishedPart, header: Sequence[str]) -> dict[str, int]:
    """Where each of the template's columns stands in the file."""
    known = {plain(name): name for name in part.template.header}
    places: dict[str, int] = {}
    for place, name in enumerate(header):
        official = known.get(plain(name))
        if official is None:
            part.quirks[
                "a column without a name" if not name.strip() else f"an unknown column {printable(name)!r}"
            ] += 1
        elif official in places:
            part.quirks[f"the column {official.strip()!r} stands twice; the first is read"] += 1
        else:
            places[official] = place
            if name != official:
                part.quirks["a column's name that is not written as in the template"] += 1
    for name in part.template.measures:
        if name not in places:
            part.unread.append(f"the column {name.strip()!r} is missing")
    stem = _stem(part.path).removesuffix(".csv")
    if stem != part.template.name.casefold():
        part.quirks[f"the file is called {part.path.name}, not {part.template.name}.csv"] += 1
    return places


def _read_rows(part: PublishedPart, lines: Sequence[Sequence[str]], places: dict[str, int]) -> None:
    by_key = {_plain_key(row.key): row.key for row in part.template.rows}
    category = ""
    for number, fields in enumerate(lines, 2):

        def get(name: str, fields: Sequence[str] = fields) -> str:
            place = places.get(name)
            return fields[place] if place is not None and place < len(fields) else ""

        _ensure_nothing_beside(part, number, fields, places)
        key, category = _key(part, get, category)
        values = {column: read_value(get(column)) for column in part.template.measures if column in places}
        row = PublishedRow(number, by_key.get(_plain_key(key), key), get(_described(part)), values)
        _tell(part, row)
        if _plain_key(key) in by_key:
            part.rows.append(row)
        else:
            part.strange.append(row)
            what = (
                "a placeholder of the template"
                if _is_placeholder(" ".join(key))
                else "no row of the template"
            )
            part.unread.append(f"line {number}: {' / '.join(key)[:90]} is {what}; kept apart")
    for key, times in Counter(row.key for row in part.rows).items():
        if times > 1:
            part.quirks[f"{times} rows {' / '.join(k.strip() for k in key)}: their counts are added up"] += 1


def _described(part: PublishedPart) -> str:
    return next((name for name in part.template.leading if name.startswith("Description")), "")


def _key(part: PublishedPart, get: Callable[[str], str], category: str) -> tuple[Key, str]:
    """What tells a row apart, and the category that the keywords behind it belong to."""
    leading = part.template.leading
    if "Indicator" in leading:
        scope = get("Scope").strip()
        if scope.casefold() in MACRO_CODES:
            part.quirks[f"the language {scope!r} for {MACRO_CODES[scope.casefold()]!r}"] += 1
            scope = MACRO_CODES[scope.casefold()]
        return (get("Indicator"), scope), category
    code = get(leading[3]).strip().upper()
    behind = (get("Scope").strip(),) if "Scope" in leading else ()
    if code.startswith(CATEGORY):
        category = code
    if code.startswith(KEYWORD) and category:
        return (category, code, *behind), category
    return (code, *behind), category


def _tell(part: PublishedPart, row: PublishedRow) -> None:
    if _is_placeholder(row.described):
        part.quirks["the template's text left in a description"] += 1
    for column, value in row.values.items():
        if value.mended:
            part.quirks[value.mended] += 1
        if value.unread:
            where = " / ".join(each.strip() for each in row.key)
            part.unread.append(
                f"line {row.line}: {where}, {column.strip()}: {printable(value.text)!r} is no number"
            )


def _ensure_nothing_beside(
    part: PublishedPart, number: int, fields: Sequence[str], places: dict[str, int]
) -> None:
    taken = set(places.values())
    for place, text in enumerate(fields):
        if place not in taken and text.strip():
            part.unread.append(
                f"line {number}: {printable(text)!r} stands in field {place + 1}, which has no known name"
            )


def _take_names(part: PublishedPart, lines: Sequence[Sequence[str]], places: dict[str, int]) -> None:
    def distinct(column: str) -> tuple[str, ...]:
        place = places.get(column)
        found = (line[place].strip() for line in lines if place is not None and place < len(line))
        return tuple(dict.fromkeys(text for text in found if text))

    part.periods, part.services = distinct(PERIOD_COLUMN), distinct("Service")
    if len({plain(name) for name in part.services}) < len(part.services):
        part.quirks[f"the service is spelled {' and '.join(part.services)}"] += 1
    if len(part.periods) > 1:
        part.quirks[f"several reporting periods: {', '.join(part.periods[:4])}"] += 1


def _plain_key(key: Key) -> tuple[str, ...]:
    return tuple(plain(each) for each in key)


def _is_placeholder(text: str) -> bool:
    return any(mark in text.casefold() for mark in PLACEHOLDERS)
