"""Answers to random questions, in all formats, by GET and by POST, over one release and several, agree with the released files."""

import csv
import io
import json
import os
from datetime import date
from typing import Any

import httpx2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.deployment import ALL
from tests.spec.reference_answers import Released, days

AGGREGATES = "/v1/datasets/moderation/aggregates"
EXAMPLES = int(os.environ.get("DAYLIGHT_QUESTIONS", "1000"))
READ = {
    "json": lambda body: json.loads(body)["data"],
    "ndjson": lambda body: [json.loads(line) for line in body.splitlines()],
    "csv": lambda body: list(csv.DictReader(io.StringIO(body.decode()))),
    "parquet": lambda body: pq.read_table(io.BytesIO(body)).to_pylist(),
    "arrow": lambda body: pa.ipc.open_stream(body).read_all().to_pylist(),
}
PERIODS = {
    "2026-05": (date(2026, 5, 1), date(2026, 5, 31)),
    "2026-06": (date(2026, 6, 1), date(2026, 6, 30)),
    "2026-05..2026-06": (date(2026, 5, 1), date(2026, 6, 30)),
    "2026-05-25..2026-06-07": (date(2026, 5, 25), date(2026, 6, 7)),
    "2026-06-03": (date(2026, 6, 3), date(2026, 6, 3)),
}
FREQS = {
    "": list(PERIODS),
    "day": list(PERIODS),
    "week": ["2026-05-25..2026-06-07"],
    "month": ["2026-05", "2026-06", "2026-05..2026-06"],
}


@pytest.fixture(scope="module")
def released(deployment):
    return {
        name.split(".")[0]: Released(deployment.releases / "moderation" / name)
        for name in ("2026-05.1", "2026-06.1")
    }


@pytest.fixture(scope="module")
def ask(deployment):
    """A function that asks a question in every format by GET and by POST and returns the pairs of answers."""
    token = deployment.token(deployment.project(ALL, "extended"))
    with deployment.client(limit_extended="10000000/minute") as client:
        http = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(client.app, raise_app_exceptions=False),
            base_url="http://testserver",
            headers={"Authorization": f"Bearer {token}"},
        )

        async def every_format(parameters, body):
            return {
                format_: (
                    await http.get(AGGREGATES, params={**parameters, "format": format_}),
                    await http.post(AGGREGATES, json={**body, "format": format_}),
                )
                for format_ in READ
            }

        # all ten requests run in the application's event loop: entering and leaving it takes as long as an answer
        yield lambda parameters, body: client.portal.call(every_format, parameters, body)
        client.portal.call(http.aclose)


@st.composite
def questions(draw, book):
    """Random measures, groups, filters, periods and ratios; some are deeper than all published cuboids."""
    dimensions = [[level["name"] for level in d["levels"]] for d in book["dimensions"][:-1]]
    codes = {
        level["name"]: [c["code"] for c in level["codes"]]
        for d in book["dimensions"]
        for level in d["levels"]
    }
    grouped = draw(st.lists(st.sampled_from(dimensions), max_size=2, unique_by=tuple))
    groups = [draw(st.sampled_from(levels)) for levels in grouped]
    filtered = draw(st.lists(st.sampled_from([*grouped, *dimensions]), max_size=2, unique_by=tuple))
    filters = {}
    for levels in filtered:
        level = draw(st.sampled_from(levels))
        chosen = draw(st.lists(st.sampled_from(codes[level]), min_size=1, max_size=4, unique=True))
        filters[level] = (draw(st.booleans()), chosen)
    freq = draw(st.sampled_from(list(FREQS)))
    return {
        "measures": draw(st.sampled_from([["actions"], ["accounts"], ["actions", "accounts"]])),
        "groups": groups,
        "filters": filters,
        "freq": freq,
        "period": draw(st.sampled_from(FREQS[freq])),
        "ratio": draw(st.booleans()),
    }


def query_parameters(question):
    parameters = {"measure": ",".join(question["measures"]), "period": question["period"]}
    if question["groups"]:
        parameters["group_by"] = ",".join(question["groups"])
    if question["freq"]:
        parameters["freq"] = question["freq"]
    if question["ratio"]:
        parameters["ratio"] = "actions/accounts"
    for level, (negated, codes) in question["filters"].items():
        parameters[level] = ("ne:" if negated else "") + ",".join(codes)
    return parameters


def days_by_period(question):
    """The periods of the answer's rows: for each label, its days by month."""
    first, last = PERIODS[question["period"]]
    label = {
        "": lambda day: question["period"],
        "day": lambda day: day.isoformat(),
        "week": lambda day: "{:04d}-W{:02d}".format(*day.isocalendar()[:2]),
        "month": lambda day: f"{day:%Y-%m}",
    }[question["freq"]]
    found: dict[str, dict[str, set[str]]] = {}
    for day in days(first, last):
        found.setdefault(label(day), {}).setdefault(f"{day:%Y-%m}", set()).add(day.isoformat())
    return found


def expected_rows(question, released):
    """The rows by period and codes: for each measure its sum and the parts of its variance.

    None if the question is deeper than all published cuboids.
    """
    book = released["2026-06"]
    filters = {
        level: {code for code in book.codes[level] if (code in codes) != negated}
        for level, (negated, codes) in question["filters"].items()
    }
    wanted: dict[int, int] = {}
    for level in (*question["groups"], *filters):
        if (
            level in filters
            and len(filters[level]) == len(book.codes[level])
            and level not in question["groups"]
        ):
            continue
        at = book.dimension_of(level)
        wanted[at] = max(wanted.get(at, 0), book.dimensions[at].index(level))
    names = dict.fromkeys([*question["measures"], *(["actions", "accounts"] if question["ratio"] else [])])
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for label, months in days_by_period(question).items():
        for name in names:
            for month, when in months.items():
                release = released[month]
                whole = len(when) == len(release.codes["day"]) and question["freq"] != "day"
                here, only = dict(wanted), dict(filters)
                if not whole:
                    here[len(release.dimensions) - 1], only["day"] = 0, when
                covering = release.covering_cuboids(name, here)
                if not covering:
                    return None
                cuboid = max(covering, key=lambda c: (len(c.split(",")) <= 2, c))
                for cell, value in release.answer(name, cuboid, question["groups"], only).items():
                    row = rows.setdefault((label, *cell), {})
                    subtotal, parts = row.get(name, (0.0, []))
                    row[name] = (
                        subtotal + value,
                        [*parts, (release, name, cuboid, question["groups"], cell, only)],
                    )
    return rows


def parse_number(text):
    return None if text in ("", None) else float(text)


@pytest.mark.parametrize("examples", [200, pytest.param(EXAMPLES, marks=pytest.mark.extended)])
def test_answers_to_random_questions_agree_with_the_released_files(ask, released, examples):
    book = released["2026-06"].book
    counts = {"answered": 0, "refused": 0}

    @settings(
        max_examples=examples, derandomize=True, database=None, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(questions(book))
    def ensure_answer(question):
        parameters = query_parameters(question)
        body = {name: value.split(",") if name != "period" else value for name, value in parameters.items()}
        empty = any(
            negated and len(codes) == len(released["2026-06"].codes[level])
            for level, (negated, codes) in question["filters"].items()
        )
        answers = {}
        for format_, (got, posted) in ask(parameters, body).items():
            assert (posted.status_code, posted.content[:1]) == (got.status_code, got.content[:1])
            if got.status_code == 200:
                assert posted.content == got.content
                answers[format_] = READ[format_](got.content)
        if not answers:
            counts["refused"] += 1
            problem = got.json()["type"]
            assert got.status_code == 422
            if empty:
                return
            if (
                problem == "/problems/empty-question"
            ):  # filters on two levels of a dimension can exclude each other
                assert {"category", "keyword"} <= set(question["filters"])
                return
            assert problem == "/problems/not-published"
            assert expected_rows(question, released) is None
            return
        counts["answered"] += 1
        ensure_equal_in_all_formats(answers)
        ensure_expected(question, answers["json"], expected_rows(question, released))

    ensure_answer()
    assert counts["answered"] > 0.4 * examples
    assert counts["refused"] > 0.02 * examples


def ensure_equal_in_all_formats(answers):
    """All formats have the same rows with the same numbers."""
    first = answers["json"]
    for format_, rows in answers.items():
        assert len(rows) == len(first)
        for row, like in zip(rows, first, strict=True):
            assert list(row) == list(like)
            for name, value in row.items():
                if isinstance(like[name], float) or (like[name] is None and format_ == "csv"):
                    assert parse_number(value) == like[name], (format_, name)
                else:
                    assert (value.isoformat() if isinstance(value, date) else value) == like[name], (
                        format_,
                        name,
                    )


def ensure_expected(question, rows, wanted):
    assert wanted is not None
    keys = ["period", *question["groups"]]
    found = {tuple(row[key] for key in keys): row for row in rows}
    assert list(found) == list(wanted) or set(found) == set(wanted)
    assert len(found) == len(rows)
    for key, sums in wanted.items():
        for name in question["measures"]:
            assert found[key][name] == pytest.approx(sums[name][0], rel=1e-9, abs=1e-6)
        if question["ratio"] and found[key]["actions_per_accounts"] is not None:
            ratio = sums["actions"][0] / sums["accounts"][0]
            assert found[key]["actions_per_accounts"] == pytest.approx(ratio, rel=1e-9, abs=1e-8)
    some = list(wanted)[:: max(1, len(wanted) // 2)][:2]
    for key in some:
        for name in question["measures"]:
            square = sum(release.variance(*parts) for release, *parts in wanted[key][name][1])
            assert found[key][f"{name}_se"] ** 2 == pytest.approx(square, rel=1e-9)
