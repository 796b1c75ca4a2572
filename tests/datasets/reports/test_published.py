"""Published parts: no row is lost in silence, every quirk is mended and listed, and a false number is found."""

from __future__ import annotations

import csv
import io

import pytest

from datasets.reports.official.parts import PARTS, official_part
from datasets.reports.period import ReportPeriod
from datasets.reports.published.reading import NotAPart, read_part
from datasets.reports.published.reconciliation import NothingToCompare, reconciled
from datasets.reports.published.structure import breaches
from datasets.reports.published.value import read_value
from datasets.reports.report import current_of

JUNE = ReportPeriod.parse("2026-06")
OWN = "6_own_initiative_TC"


@pytest.fixture(scope="module")
def published(truth):
    """The true part of June, as a platform that counts exactly would publish it."""
    return official_part(PARTS[OWN], truth, JUNE, current_of(truth), "A platform").csv()


def written(tmp_path, content, name=f"{OWN}.csv"):
    path = tmp_path / name
    path.write_bytes(content)
    return path


def changed(content, change, delimiter=","):
    """A part whose rows went through `change`, which is given the rows without the header."""
    rows = list(csv.reader(io.StringIO(content.decode(), newline="")))
    change(rows)
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue().encode()


def test_a_true_report_agrees_with_the_release(published, noisy, tmp_path):
    found = reconciled(read_part(written(tmp_path, published)), noisy)
    assert found.same_period
    assert found.breaches == ()
    compared = found.verdicts["agrees"] + found.verdicts["differs"]
    assert compared > 1500
    assert found.verdicts["differs"] / compared < 0.12
    assert "Both are about 2026-06-01/2026-06-30." in list(found.sentences())


def test_a_false_number_is_found_with_its_distance(published, noisy, tmp_path):
    def falsify(rows):
        rows[1][5] = str(int(rows[1][5]) + 20_000)

    found = reconciled(read_part(written(tmp_path, changed(published, falsify))), noisy)
    first = found.comparisons[0]
    assert first.verdict == "differs"
    assert first.apart == pytest.approx((first.released.value - first.reported) / first.released.se)
    assert first.apart < -5
    assert any("is not the sum of the rows within it" in breach for breach in found.breaches)


def test_another_period_is_said_to_be_another(published, noisy, tmp_path):
    part = read_part(written(tmp_path, published))
    found = reconciled(part, noisy, ReportPeriod.parse("2026-05"))
    assert not found.same_period
    assert next(found.sentences()).startswith(
        "The periods differ: the file is about 2026-06-01/2026-06-30, the release about 2026-05-01/2026-05-31."
    )
    half = reconciled(part, noisy, ReportPeriod.parse("2026-H1"))
    assert "2026-01, 2026-02, 2026-03, 2026-04 is not in them" in next(half.sentences())


def test_a_period_that_is_not_released_is_refused_with_what_is(published, noisy, tmp_path):
    part = read_part(written(tmp_path, published.replace(b"2026-06-01/2026-06-30", b"2031-01-01/2031-06-30")))
    with pytest.raises(
        NothingToCompare, match="nothing of moderation is released for 2031-H1; released are 2026-05"
    ):
        reconciled(part, noisy)
    part.periods = ("YYYY-MM-DD/YYYY-MM-DD",)
    with pytest.raises(NothingToCompare, match="which is no month, quarter or half-year"):
        reconciled(part, noisy)


QUIRKS = {
    "byte order mark": (lambda c: b"\xef\xbb\xbf" + c, "the file begins with a byte order mark"),
    "LF": (lambda c: c.replace(b"\r\n", b"\n"), None),
    "no end": (lambda c: c.rstrip(), "the last line has no end"),
    "empty lines": (lambda c: c + b"\r\n,,,\r\n", "2 empty line(s) left out"),
    "UTF-16": (lambda c: c.decode().encode("utf-16"), "the file is UTF-16, not UTF-8"),
    "GBK": (
        lambda c: c.replace(b"A platform", "A platform’s".encode("gb18030")),
        "the file is no UTF-8 (byte",
    ),
    "broken marks": (
        lambda c: c.replace(b"A platform", "A platform¡¯s".encode()),
        "broken quotation marks '¡¯' were read as '’'",
    ),
    "semicolons": (
        lambda c: changed(c, lambda rows: None, delimiter=";"),
        "fields are separated by semicolons, not by commas",
    ),
    "names": (
        lambda c: c.replace(b"Visibility restriction Removal,", b"visibility  restriction removal ,", 1),
        "a column's name that is not written as in the template",
    ),
    "column": (lambda c: c.replace(b"\r\n", b",\r\n"), "a column without a name"),
}


@pytest.mark.parametrize("quirk", QUIRKS)
def test_a_quirk_is_mended_and_told_and_no_number_changes(published, tmp_path, quirk):
    change, told = QUIRKS[quirk]
    plain = read_part(written(tmp_path, published))
    mended = read_part(written(tmp_path, change(published), f"{OWN}.CSV"))
    assert len(mended.rows) == len(plain.rows)
    assert mended.cells == plain.cells
    if told:
        assert any(each.startswith(told) for each in mended.quirks), mended.quirks


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12), ("0 ", 0), ("157,643,436", 157643436), ("1 234 567", 1234567), ("1\u202f234", 1234), ("1'234", 1234),
        ("1.234.567", 1234567), ("97.27%", 0.9727), ("97,27 %", 0.9727), ("17.2", 17.2), ("/", None), ("", None),
        (" ", None), ("N/A", None), ("-", None),
    ],
)  # fmt: skip
def test_a_value_is_read_as_it_was_meant(text, number):
    value = read_value(text)
    assert (value.number, value.unread) == (number, False)


@pytest.mark.parametrize(
    "text", ["about 10", "<10", "1,23", "12e3", "1,2345", "٣", "NaN", "0x10", "1.2.3", "--"]
)
def test_what_could_mean_several_things_is_listed_and_not_guessed(text):
    assert read_value(text).unread


def test_what_cannot_be_read_is_listed_with_its_line(published, tmp_path):
    def blur(rows):
        rows[3][5] = "about 10"
        rows.append(["All", "A platform", "2026-06-01/2026-06-30", "KEYWORD_UNHEARD_OF", "", "7"])
        rows[4].append("astray")

    part = read_part(written(tmp_path, changed(published, blur)))
    assert any(each.startswith("line 4: ") and "'about 10' is no number" in each for each in part.unread)
    assert any("KEYWORD_UNHEARD_OF is no row of the template; kept apart" in each for each in part.unread)
    assert any("'astray' stands in field" in each for each in part.unread)
    assert part.strange[0].values["Number of measures taken at the provider's own initiative "].number == 7


def test_rows_of_one_keyword_are_added_up_and_the_template_s_text_is_told(published, tmp_path):
    column = "Number of measures taken at the provider's own initiative "
    key = ("STATEMENT_CATEGORY_ANIMAL_WELFARE", "KEYWORD_OTHER")

    def split(rows):
        at = next(n for n, row in enumerate(rows) if row[3] == "KEYWORD_OTHER")
        rows.insert(at + 1, [*rows[at][:4], 'Text to detail the "Other" keyword.', "11", *rows[at][6:]])

    before = read_part(written(tmp_path, published)).cells[key, column]
    part = read_part(written(tmp_path, changed(published, split)))
    assert part.cells[key, column] == before + 11
    assert part.quirks["the template's text left in a description"] == 1
    assert any(
        quirk.startswith("2 rows STATEMENT_CATEGORY_ANIMAL_WELFARE / KEYWORD_OTHER") for quirk in part.quirks
    )


def test_breaches_of_the_rules_are_told(published, tmp_path):
    def breach(rows):
        rows[3][5], rows[4][5] = "-4", "1.5"
        del rows[9]

    told = breaches(read_part(written(tmp_path, changed(published, breach))))
    assert any("-4 is below 0" in each for each in told)
    assert any("1.5 is not whole" in each for each in told)
    assert any("row(s) of the template are missing" in each for each in told)


def test_a_part_named_by_nobody_is_told_apart_by_its_columns(published, tmp_path):
    with pytest.raises(NotAPart, match="have the same columns; name the file after the one it is"):
        read_part(written(tmp_path, published, "measures.csv"))


@pytest.mark.parametrize("content", [b"", b"a,b\r\n1,2\r\n", b"\x00\x01\x02", b"Applicability,Service\r\n"])
def test_a_file_that_is_no_part_is_refused(tmp_path, content):
    with pytest.raises(NotAPart):
        read_part(written(tmp_path, content, "x.csv"))


def test_the_withdrawn_code_of_a_language_is_told(noisy, tmp_path):
    body = official_part(PARTS["8_automated_means"], noisy, JUNE, current_of(noisy), "A platform").csv()

    def add(rows):
        rows.append([*rows[-1][:5], "iw", "5", ""])
        rows.append([*rows[-1][:5], "AT, [_], SE", "6", ""])

    part = read_part(written(tmp_path, changed(body, add), "8_automated_means.csv"))
    assert part.quirks["the language 'iw' for 'he'"] == 1
    assert [row.key[1] for row in part.strange] == ["he", "AT, [_], SE"]
    assert any("is a placeholder of the template" in each for each in part.unread)
