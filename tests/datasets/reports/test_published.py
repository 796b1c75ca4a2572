"""Published parts: no row is lost silently, every quirk is corrected and listed, and a wrong number is found."""

from __future__ import annotations

import csv
import io

import pytest

from datasets.reports.official.parts import PARTS, fill_part
from datasets.reports.period import ReportPeriod
from datasets.reports.published.reading import NotAPart, read_part
from datasets.reports.published.reconciliation import NothingToCompare, compare_with_releases
from datasets.reports.published.structure import rule_violations
from datasets.reports.published.value import read_value
from datasets.reports.report import current_releases

JUNE = ReportPeriod.parse("2026-06")
OWN = "6_own_initiative_TC"


@pytest.fixture(scope="module")
def published(truth):
    """The true part of June, as a platform that counts exactly would publish it."""
    return fill_part(PARTS[OWN], truth, JUNE, current_releases(truth), "A platform").csv()


def write_part(tmp_path, content, name=f"{OWN}.csv"):
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
    found = compare_with_releases(read_part(write_part(tmp_path, published)), noisy)
    assert found.same_period
    assert found.violations == ()
    compared = found.verdicts["agrees"] + found.verdicts["differs"]
    assert compared > 1500
    assert found.verdicts["differs"] / compared < 0.12
    assert "Both cover 2026-06-01/2026-06-30." in list(found.sentences())


def test_a_false_number_is_found_with_its_distance(published, noisy, tmp_path):
    def falsify(rows):
        rows[1][5] = str(int(rows[1][5]) + 20_000)

    found = compare_with_releases(read_part(write_part(tmp_path, changed(published, falsify))), noisy)
    first = found.comparisons[0]
    assert first.verdict == "differs"
    assert first.released is not None and first.released.value is not None and first.released.se is not None
    assert first.reported is not None and first.errors_apart is not None
    assert first.errors_apart == pytest.approx((first.released.value - first.reported) / first.released.se)
    assert first.errors_apart < -5
    assert any("is not the sum of the rows within it" in breach for breach in found.violations)


def test_a_different_period_is_reported(published, noisy, tmp_path):
    part = read_part(write_part(tmp_path, published))
    found = compare_with_releases(part, noisy, ReportPeriod.parse("2026-05"))
    assert not found.same_period
    assert next(found.sentences()).startswith(
        "The periods differ: the file covers 2026-06-01/2026-06-30, the releases 2026-05-01/2026-05-31."
    )
    half = compare_with_releases(part, noisy, ReportPeriod.parse("2026-H1"))
    assert "2026-01, 2026-02, 2026-03, 2026-04 is missing" in next(half.sentences())


def test_a_period_without_releases_is_refused_and_the_released_months_are_named(published, noisy, tmp_path):
    part = read_part(
        write_part(tmp_path, published.replace(b"2026-06-01/2026-06-30", b"2031-01-01/2031-06-30"))
    )
    with pytest.raises(
        NothingToCompare, match="no release of moderation covers 2031-H1; there are releases of 2026-05"
    ):
        compare_with_releases(part, noisy)
    part.periods = ("YYYY-MM-DD/YYYY-MM-DD",)
    with pytest.raises(NothingToCompare, match="which is not a month, quarter or half-year"):
        compare_with_releases(part, noisy)


QUIRKS = {
    "byte order mark": (lambda c: b"\xef\xbb\xbf" + c, "the file begins with a byte order mark"),
    "LF": (lambda c: c.replace(b"\r\n", b"\n"), None),
    "no newline": (lambda c: c.rstrip(), "the last line has no newline"),
    "empty lines": (lambda c: c + b"\r\n,,,\r\n", "2 empty line(s) ignored"),
    "UTF-16": (lambda c: c.decode().encode("utf-16"), "the file is UTF-16, not UTF-8"),
    "GBK": (
        lambda c: c.replace(b"A platform", "A platform’s".encode("gb18030")),
        "the file is not UTF-8 (byte",
    ),
    "broken marks": (
        lambda c: c.replace(b"A platform", "A platform¡¯s".encode()),
        "broken quotation marks '¡¯' were replaced by '’'",
    ),
    "semicolons": (
        lambda c: changed(c, lambda rows: None, delimiter=";"),
        "fields are separated by semicolons instead of commas",
    ),
    "names": (
        lambda c: c.replace(b"Visibility restriction Removal,", b"visibility  restriction removal ,", 1),
        "a column name that differs from the template's spelling",
    ),
    "column": (lambda c: c.replace(b"\r\n", b",\r\n"), "a column without a name"),
}


@pytest.mark.parametrize("quirk", QUIRKS)
def test_a_quirk_is_corrected_and_reported_and_no_number_changes(published, tmp_path, quirk):
    change, report = QUIRKS[quirk]
    plain = read_part(write_part(tmp_path, published))
    corrected = read_part(write_part(tmp_path, change(published), f"{OWN}.CSV"))
    assert len(corrected.rows) == len(plain.rows)
    assert corrected.cells == plain.cells
    if report:
        assert any(each.startswith(report) for each in corrected.quirks), corrected.quirks


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
    assert (value.number, value.unreadable) == (number, False)


@pytest.mark.parametrize(
    "text", ["about 10", "<10", "1,23", "12e3", "1,2345", "٣", "NaN", "0x10", "1.2.3", "--"]
)
def test_what_could_mean_several_things_is_listed_and_not_guessed(text):
    assert read_value(text).unreadable


def test_what_cannot_be_read_is_listed_with_its_line(published, tmp_path):
    def blur(rows):
        rows[3][5] = "about 10"
        rows.append(["All", "A platform", "2026-06-01/2026-06-30", "KEYWORD_UNHEARD_OF", "", "7"])
        rows[4].append("astray")

    part = read_part(write_part(tmp_path, changed(published, blur)))
    assert any(
        each.startswith("line 4: ") and "'about 10' is not a number" in each for each in part.unreadable
    )
    assert any(
        "KEYWORD_UNHEARD_OF is not a row of the template; left out" in each for each in part.unreadable
    )
    assert any("'astray' is in field" in each for each in part.unreadable)
    assert (
        part.unknown_rows[0].values["Number of measures taken at the provider's own initiative "].number == 7
    )


def test_rows_of_one_keyword_are_summed_and_the_template_s_text_is_reported(published, tmp_path):
    column = "Number of measures taken at the provider's own initiative "
    key = ("STATEMENT_CATEGORY_ANIMAL_WELFARE", "KEYWORD_OTHER")

    def split(rows):
        at = next(n for n, row in enumerate(rows) if row[3] == "KEYWORD_OTHER")
        rows.insert(at + 1, [*rows[at][:4], 'Text to detail the "Other" keyword.', "11", *rows[at][6:]])

    before = read_part(write_part(tmp_path, published)).cells[key, column]
    part = read_part(write_part(tmp_path, changed(published, split)))
    assert part.cells[key, column] == before + 11
    assert part.quirks["the template's text left in a description"] == 1
    assert any(
        quirk.startswith("2 rows STATEMENT_CATEGORY_ANIMAL_WELFARE / KEYWORD_OTHER") for quirk in part.quirks
    )


def test_violations_of_the_rules_are_reported(published, tmp_path):
    def breach(rows):
        rows[3][5], rows[4][5] = "-4", "1.5"
        del rows[9]

    found = rule_violations(read_part(write_part(tmp_path, changed(published, breach))))
    assert any("-4 is below 0" in each for each in found)
    assert any("1.5 is not a whole number" in each for each in found)
    assert any("row(s) of the template are missing" in each for each in found)


def test_a_part_whose_columns_fit_several_must_be_named(published, tmp_path):
    with pytest.raises(NotAPart, match="have the same columns; name the file after its part"):
        read_part(write_part(tmp_path, published, "measures.csv"))


@pytest.mark.parametrize("content", [b"", b"a,b\r\n1,2\r\n", b"\x00\x01\x02", b"Applicability,Service\r\n"])
def test_a_file_that_is_not_a_part_is_refused(tmp_path, content):
    with pytest.raises(NotAPart):
        read_part(write_part(tmp_path, content, "x.csv"))


def test_the_withdrawn_code_of_a_language_is_reported(noisy, tmp_path):
    body = fill_part(PARTS["8_automated_means"], noisy, JUNE, current_releases(noisy), "A platform").csv()

    def add(rows):
        rows.append([*rows[-1][:5], "iw", "5", ""])
        rows.append([*rows[-1][:5], "AT, [_], SE", "6", ""])

    part = read_part(write_part(tmp_path, changed(body, add), "8_automated_means.csv"))
    assert part.quirks["the language code 'iw' instead of 'he'"] == 1
    assert [row.key[1] for row in part.unknown_rows] == ["he", "AT, [_], SE"]
    assert any("is a placeholder of the template" in each for each in part.unreadable)
