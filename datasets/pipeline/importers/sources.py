"""Source files as streams: plain CSV, in a zip, or in a zip inside a zip, as the DSA Transparency Database dumps it.

Only one inner archive is unpacked at a time. A file that does not have the format of its name is refused. If a `.sha1`
file exists in the folder of a source, the source must match it.
"""

from __future__ import annotations

import csv
import hashlib
import io
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyarrow as pa

from datasets.refusal import Refusal, did_you_mean, printable

ZIP_WITHIN_ZIP = 2
"""The deepest nesting of archives; the database's dumps have two levels."""

MAX_FIELD_LENGTH = 1 << 20
"""Characters of one CSV field; the longest that the statement schema allows is 5,000."""

BytesRead = Callable[[], int]


class UnreadableFile(Refusal):
    """A source file is missing, truncated, damaged, or not in the format of its name."""


@dataclass(frozen=True, slots=True)
class CsvSource:
    """One CSV file in a source: its name for messages, its bytes, and a function that gives the bytes read of the source."""

    name: str
    stream: IO[bytes]
    bytes_read: BytesRead


def ensure_sources(paths: Iterable[Path], suffixes: tuple[str, ...]) -> tuple[Path, ...]:
    """The sources in the given order. Raises UnreadableFile if one is not a file, is given twice, has a suffix that is not in
    `suffixes`, or does not match its `.sha1` file."""
    found = tuple(paths)
    for number, path in enumerate(found):
        if not path.is_file():
            raise UnreadableFile(
                f"SOURCE {path} is not a file; name the files themselves, for example {path}/*"
            )
        if path.resolve() in {other.resolve() for other in found[:number]}:
            raise UnreadableFile(f"SOURCE {path} is given twice; its rows would count twice")
        if path.suffix.lower() not in suffixes:
            raise UnreadableFile(
                f"SOURCE {path} ends in {path.suffix or 'nothing'!r}; this format reads {', '.join(suffixes)}"
            )
        _ensure_sha1(path)
    return found


def has_sha1(path: Path) -> bool:
    return _sha1_path(path).is_file()


def _sha1_path(path: Path) -> Path:
    return path.with_name(path.name + ".sha1")


def _ensure_sha1(path: Path) -> None:
    """Check the SHA-1 that the database publishes; it detects damage, not manipulation."""
    checksum = _sha1_path(path)
    if not checksum.is_file():
        return
    words = checksum.read_text(encoding="utf-8-sig", errors="replace").split()
    if not words or len(words[0]) != 40 or len(words) > 2:
        raise UnreadableFile(f"{checksum} is not a checksum file; it should contain '<sha1>  {path.name}'")
    if len(words) == 2 and Path(words[1].lstrip("*")).name != path.name:
        raise UnreadableFile(f"{checksum} names {printable(words[1])}, not {path.name}")
    with path.open("rb") as stream:
        actual = hashlib.file_digest(stream, lambda: hashlib.sha1(usedforsecurity=False)).hexdigest()
    if actual != words[0].lower():
        raise UnreadableFile(
            f"{path} does not match {checksum.name}: its SHA-1 is {actual}, not {printable(words[0])}; download it again"
        )


def csv_sources(path: Path) -> Iterator[CsvSource]:
    """The CSV files in a source, one at a time; each must be read before the next. Raises UnreadableFile."""
    with path.open("rb") as raw:
        yield from _open_nested(path.name, raw, raw.tell, depth=0)


def _open_nested(name: str, stream: IO[bytes], passed: BytesRead, depth: int) -> Iterator[CsvSource]:
    if not name.lower().endswith(".zip"):
        yield CsvSource(name, stream, passed)
        return
    if depth == ZIP_WITHIN_ZIP:
        raise UnreadableFile(
            f"{name} is nested {depth} archives deep; at most a zip of zips of CSV files is read"
        )
    with _open_archive(name, stream) as archive:
        files = [info for info in archive.infolist() if not info.is_dir()]
        if not files:
            raise UnreadableFile(f"{name} is an empty archive; it should contain CSV files")
        if min(info.header_offset for info in files):  # a truncated dump can end where an inner archive ends
            raise UnreadableFile(
                f"{name} does not begin as a zip archive; it may be truncated: download it again"
            )
        for info in files:
            if not info.filename.lower().endswith((".csv", ".zip")):
                raise UnreadableFile(
                    f"{name} contains {printable(info.filename)}, which is neither .csv nor .zip"
                )
            with archive.open(info) as inside:
                yield from _open_nested(f"{name}/{info.filename}", inside, passed, depth + 1)


@contextmanager
def _open_archive(name: str, stream: IO[bytes]) -> Iterator[zipfile.ZipFile]:
    """An open archive; every fault in it, also a wrong checksum of a member, raises UnreadableFile with its name."""
    try:
        with tempfile.TemporaryFile() as copy:
            if isinstance(
                stream, zipfile.ZipExtFile
            ):  # it seeks by reading again from the start: copy it once instead
                shutil.copyfileobj(stream, copy, 1 << 20)
                stream = copy
            with zipfile.ZipFile(stream) as archive:
                yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise UnreadableFile(
            f"{name} is not a zip archive, or is truncated or damaged ({printable(str(error))}); download it again"
        ) from None


@dataclass(frozen=True, slots=True)
class RowBatch:
    """Rows of a CSV file: the number of the first, counting from 1, and their fields."""

    first: int
    rows: list[list[str]]


@dataclass(frozen=True)
class CsvFile:
    """A CSV file whose header has been read."""

    name: str
    header: tuple[str, ...]
    _lines: Iterator[list[str]]
    _watch: _LastLineWatcher

    def batches(self, size: int) -> Iterator[RowBatch]:
        """The rows in batches of `size`. Raises UnreadableFile if the file is damaged or ends within a row."""
        first, batch = 1, []
        for row in _read_rows_or_refuse(self._lines, self.name):
            if row:  # empty lines are skipped
                batch.append(row)
            if len(batch) == size:
                yield RowBatch(first, batch)
                first, batch = first + size, []
        if batch and len(batch[-1]) < len(self.header) and not self._watch.ends_with_newline:
            raise UnreadableFile(
                f"{self.name} is truncated: it ends within row {first + len(batch) - 1}, which has "
                f"{len(batch[-1])} of {len(self.header)} fields; download it again"
            )
        if batch:
            yield RowBatch(first, batch)


class _LastLineWatcher:
    """Passes lines through and remembers whether the last one ended with a newline."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = lines
        self.ends_with_newline = True

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.ends_with_newline = line.endswith(("\n", "\r"))
            yield line


@contextmanager
def open_csv(member: CsvSource, *, delimiter: str = ",", encoding: str = "utf-8-sig") -> Iterator[CsvFile]:
    """A CSV file, its header read. A byte order mark, CRLF and newlines within quotes are fine; a column without a
    name is called by its place. Bytes that are no text in `encoding` are kept for `text_column`, except in UTF-16, where what
    follows them could not be read. Raises UnreadableFile.
    """
    kept = "strict" if encoding == "utf-16" else "surrogateescape"
    text = io.TextIOWrapper(member.stream, encoding=encoding, errors=kept, newline="")
    ending = _LastLineWatcher(text)
    csv.field_size_limit(MAX_FIELD_LENGTH)
    lines = csv.reader(ending, delimiter=delimiter, strict=True)
    names = next(_read_rows_or_refuse(lines, member.name), [])
    if not names:
        raise UnreadableFile(f"{member.name} is empty; a CSV file begins with a line of column names")
    if not all(readable_text(name) for name in names if name):
        raise UnreadableFile(_not_text(member.name, encoding))
    header = tuple(name.strip() or f"column {number}" for number, name in enumerate(names, 1))
    ensure_distinct(member.name, header)
    yield CsvFile(member.name, header, lines, ending)
    text.detach()  # or it would close the stream, which is not its own


def ensure_distinct(name: str, header: tuple[str, ...]) -> None:
    """Raises UnreadableFile if a column name occurs twice, regardless of upper and lower case."""
    folded = [column.casefold() for column in header]
    for column in folded:
        if folded.count(column) > 1:
            raise UnreadableFile(
                f"{name} has the column {printable(column)!r} twice; upper and lower case do not differ"
            )


def text_column(values: Sequence[str]) -> pa.Array:
    """The values of a CSV column as text or, if one of them is no text in the encoding of its file, all of them as bytes."""
    try:
        return pa.array(values, pa.string())
    except UnicodeEncodeError:
        return pa.array([value.encode(errors="surrogateescape") for value in values], pa.binary())


def readable_text(value: str) -> str | None:
    """A value of a CSV file; None if it is no text in the encoding of its file."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return None
    return value


def _not_text(name: str, encoding: str) -> str:
    known = encoding.removesuffix("-sig").upper()
    return f"{name} is not {known} text, as a CSV file must be; another encoding can be named in a mapping"


def _read_rows_or_refuse(lines: Iterator[list[str]], name: str) -> Iterator[list[str]]:
    """The rows of a CSV reader; its errors become UnreadableFile."""
    try:
        yield from lines
    except UnicodeError:
        raise UnreadableFile(_not_text(name, "utf-16")) from None
    except csv.Error as error:
        raise UnreadableFile(
            f"{name} is not a well-formed CSV file, or is truncated ({printable(str(error))}); download it again"
        ) from None
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise UnreadableFile(
            f"{name} is damaged in its archive ({printable(str(error))}); download it again"
        ) from None


def ensure_columns(name: str, header: Iterable[str], wanted: Iterable[str], what: str) -> None:
    """Raises UnreadableFile, with the nearest name, if a column of `what` is missing from `header`."""
    there = tuple(header)
    for column in wanted:
        if column not in there:
            raise UnreadableFile(
                f"{name} is not a {what}: it has no column {column!r}; it has "
                f"{', '.join(printable(each) for each in there[:12])}{' …' if len(there) > 12 else ''}."
                + did_you_mean(column, there)
            )
