"""One kernel for every engine: however raw rows are split into batches and partitions, it counts what the local engine counts."""

import json
import pickle
from collections import Counter

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.pipeline.audit.probe_sites import ProbeSites
from datasets.pipeline.engine.job import CountJob, InputIdentity
from datasets.pipeline.engine.kernel import count_batches, narrow, no_counts
from datasets.pipeline.events.local_engine import LocalEngine, UnsavedProgress
from datasets.pipeline.measurement.noise import count_job
from datasets.pipeline.planning.budget import plan_budget
from tests.datasets.pipeline.small_deployment import HARVEST, JUNE

JOB = count_job(plan_budget(HARVEST, JUNE))
PLACES = ProbeSites(HARVEST, JUNE)
DUPLICATE = "duplicate id: event_id"
BAD = [
    {"plant": "turnip"},
    {"cents": "12.7"},
    {"unit_id": " "},
    {"occurred_at": "2026-07-01"},
    {"unit_kind": "robot"},
]


def event(unit, number, *, plant=0, state=0, day=0, kind="person", **odd):
    row = {**PLACES.row(unit, f"e{number}", (plant, state, day), kind), **odd}
    return {name: None if value is None else str(value) for name, value in row.items()}


odd = st.sampled_from([*[{}] * 8, {"sold": "false"}, {"cents": "7"}, {"cents": "70"}, *BAD])
rows = st.lists(
    st.builds(
        lambda unit, number, plant, day, kind, odd: {**event(unit, number, plant=plant, day=day, kind=kind), **odd},
        st.sampled_from(["ann", "bob", "firm", "shop"]), st.integers(0, 5), st.integers(0, 2), st.integers(0, 1),
        st.sampled_from(["person", "organisation", "organisation"]), odd,
    ),
    min_size=1, max_size=60,
)  # fmt: skip
"""Units of either kind and of both, events that are repeated exactly or with other contents, and rows that do not fit."""


def write_files(folder, *files, rows_per_group=1 << 20):
    folder.mkdir(parents=True)
    for number, found in enumerate(files):
        if found:
            pq.write_table(
                pa.Table.from_pylist(found),
                folder / f"part-{number:05d}.parquet",
                row_group_size=rows_per_group,
            )
    return folder


def counted_locally(tmp, *files, rows_per_group=1 << 20):
    folder = write_files(tmp / "events", *files, rows_per_group=rows_per_group)
    return LocalEngine(tmp / "aside", UnsavedProgress(tmp / "counting")).counted(JOB, "salt", folder)


def split(found, pieces):
    """The rows in so many batches, some of them perhaps empty."""
    table = pa.Table.from_pylist(found)
    ends = [len(found) * n // pieces for n in range(pieces + 1)]
    return [
        table.slice(start, end - start).combine_chunks().to_batches()[0]
        for start, end in zip(ends, ends[1:], strict=False)
        if end > start
    ]


def counted_by_kernel(found, batches, partitions):
    """What any engine does: narrow each batch, exchange by unit, count each partition, add up."""
    job = pickle.loads(pickle.dumps(JOB))
    reasons: Counter[str] = Counter()
    with duckdb.connect(config={"threads": 1}) as con:
        narrowed = list(narrow(con, job, "salt", split(found, batches)))
        for batch in narrowed:
            reasons.update(batch.misfits["reason"].to_pylist())
        every = pa.concat_tables([batch.rows for batch in narrowed])
        place = every["unit_lower"].to_numpy() % np.uint64(partitions)
        total = no_counts(job)
        for partition in range(partitions):
            total = total.plus(
                count_batches(con, job, every.filter(pa.array(place == partition)).to_batches())
            )
    if total.repeats:
        reasons[DUPLICATE] = total.repeats
    return total, dict(reasons)


def ensure_equal_tables(one, other):
    assert {m: set(tables) for m, tables in one.items()} == {m: set(tables) for m, tables in other.items()}
    for measure, tables in one.items():
        for table, counts in tables.items():
            assert counts.dtype == other[measure][table].dtype == np.int64
            assert np.array_equal(counts, other[measure][table]), (measure, table)


@settings(max_examples=15)
@given(rows, st.integers(1, 7), st.sampled_from([1, 2, 7]), st.randoms(use_true_random=False))
def test_the_kernel_counts_the_same_in_any_split(tmp_path_factory, found, batches, partitions, order):
    local = counted_locally(tmp_path_factory.mktemp("local"), found[::2], found[1::2])
    order.shuffle(found)
    counts, reasons = counted_by_kernel(found, batches, partitions)
    ensure_equal_tables(counts.counts, local.counts)
    assert reasons == local.totals.reasons
    assert (counts.kept, len(found)) == (local.totals.kept, local.totals.read)


REPEATS = [
    event("ann", 1, plant=3, day=4, cents="70"),
    event("ann", 1, plant=1, day=4, cents="70"),  # the smallest codes of the earliest time
    event("ann", 1, plant=1, day=4, cents="90"),
    event("ann", 1, plant=0, day=9, cents="10"),
    event("firm", 2, plant=2, day=1, kind="organisation"),
    event("firm", 2, plant=2, day=1, kind="person"),  # equal in all else: the person's row counts
    event("firm", 3, plant=2, day=1, kind="organisation"),
]


@pytest.mark.parametrize("seed", range(4))
def test_repeats_that_differ_count_the_same_in_any_order_of_files_rows_and_row_groups(tmp_path, seed):
    draw = np.random.default_rng(seed)
    whole = counted_locally(tmp_path / "whole", REPEATS)
    shuffled = [REPEATS[n] for n in draw.permutation(len(REPEATS))]
    cut = int(draw.integers(1, len(shuffled)))
    other = counted_locally(tmp_path / "other", shuffled[:cut], shuffled[cut:], rows_per_group=1 + seed)
    ensure_equal_tables(whole.counts, other.counts)
    assert whole.totals == other.totals
    assert whole.totals.reasons == {DUPLICATE: 4}


def alone(tmp, row):
    return counted_locally(tmp, [row]).counts


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"day": 2, "plant": 5}, {"day": 3, "plant": 1}),
        ({"day": 2, "plant": 1, "cents": "90"}, {"day": 2, "plant": 5, "cents": "10"}),
        ({"day": 2, "plant": 1, "cents": "10"}, {"day": 2, "plant": 1, "cents": "90"}),
        ({"day": 2, "plant": 1, "kind": "person"}, {"day": 2, "plant": 1, "kind": "organisation"}),
    ],
    ids=["the earliest", "then by codes", "then by values", "then a person's"],
)
def test_of_several_rows_of_an_event_the_first_counts(tmp_path, first, second):
    one, other = event("ann", 1, **first), event("ann", 1, **second)
    both = counted_locally(tmp_path / "both", [other, one])
    ensure_equal_tables(both.counts, alone(tmp_path / "one", one))
    (aside,) = pq.read_table(tmp_path / "both" / "aside" / "events.parquet").to_pylist()
    assert (aside["reason"], aside["row"], json.loads(aside["record"])) == (DUPLICATE, 1, other)


def test_an_identity_names_the_content_and_not_its_place(tmp_path):
    engine = LocalEngine(tmp_path / "aside", UnsavedProgress(tmp_path / "counting"))
    one, same, other = (
        engine.identify(write_files(tmp_path / name, found))
        for name, found in (("one", REPEATS), ("same", REPEATS), ("other", REPEATS[1:]))
    )
    assert one == same != other
    assert repr(one) == repr(other) == "InputIdentity()", "nothing of the content is shown"
    assert isinstance(one, InputIdentity)


def test_a_job_can_be_sent_and_says_nothing_of_salt_or_place():
    sent = pickle.loads(pickle.dumps(JOB))
    assert sent == JOB
    assert set(CountJob.__dataclass_fields__) == {"dataset", "month", "tables"}


def test_nothing_that_was_counted_is_shown(tmp_path):
    found = counted_locally(tmp_path, [event(f"u{n}", n) for n in range(977)])
    assert found.totals.kept == 977
    assert "977" not in repr(found) + str(found)
