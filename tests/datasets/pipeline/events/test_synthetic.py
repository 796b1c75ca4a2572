"""Synthetic events: seeded, valid, with the marginals and the heavy tails that were meant."""

from collections import Counter

import pyarrow.parquet as pq
import pytest

from datasets.catalogue import DATASETS, find_dataset
from datasets.period import Month
from datasets.pipeline.engine.job import CountJob
from datasets.pipeline.events.layout import MonthExists, staged_month
from datasets.pipeline.events.local_engine import LocalEngine, UnsavedProgress
from datasets.pipeline.events.source import read_source
from datasets.pipeline.events.synthetic import BadRows, generate_events

FEBRUARY = Month(2026, 2)


def rows(folder):
    return [row for path in sorted(folder.glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_every_synthetic_event_is_valid(dataset, tmp_path):

    folder = generate_events(dataset, FEBRUARY, rows=3_000, seed=1, out=tmp_path)
    engine = LocalEngine(tmp_path / "aside", UnsavedProgress(tmp_path / "counting"))
    found = engine.counted(CountJob(dataset, FEBRUARY, {}), "salt", folder)
    assert (found.totals.kept, found.totals.quarantined) == (3_000, 0)
    assert read_source(folder, dataset).format == "synthetic"


def test_the_same_seed_gives_the_same_events_and_another_seed_others(tmp_path):
    ads = find_dataset("ads")
    one, two, other = (
        rows(generate_events(ads, FEBRUARY, rows=500, seed=seed, out=tmp_path / str(n)))
        for n, seed in enumerate((1, 1, 2))
    )
    assert one == two
    assert one != other


def test_moderation_follows_the_public_figures(tmp_path):
    """AliExpress, H1 2026 (docs/law.md#figures-of-a-transparency-report): nearly all automated, own initiative, terms."""
    events = rows(generate_events(find_dataset("moderation"), FEBRUARY, rows=20_000, seed=1, out=tmp_path))
    automated = sum(row["automated_detection"] == "YES" for row in events) / len(events)
    assert 0.95 < automated < 0.99  # 130.6 of 134.2 million
    assert sum(row["source"] == "VOLUNTARY" for row in events) / len(events) > 0.98


def test_few_units_have_most_of_the_rows(tmp_path):
    events = rows(generate_events(find_dataset("moderation"), FEBRUARY, rows=20_000, seed=1, out=tmp_path))
    counts = sorted(Counter(row["unit_id"] for row in events).values(), reverse=True)
    assert sum(counts[: len(counts) // 10]) > 0.25 * len(events)
    assert counts[0] > 20 * counts[len(counts) // 2]


def test_progress_adds_up_and_no_number_of_rows_is_impossible(tmp_path):
    ads = find_dataset("ads")
    progress: list[int] = []
    generate_events(ads, FEBRUARY, rows=1_234, seed=1, out=tmp_path, on_progress=progress.append)
    assert sum(progress) == 1_234
    for number in (0, -1, 10**9):
        with pytest.raises(BadRows, match=f"--rows {number}"):
            generate_events(ads, FEBRUARY, rows=number, seed=1, out=tmp_path / "other")
    with pytest.raises(MonthExists, match="--replace"):
        generate_events(ads, FEBRUARY, rows=5, seed=1, out=tmp_path)


def test_a_crash_while_a_month_is_written_leaves_what_was_there(tmp_path):
    ads = find_dataset("ads")
    folder = generate_events(ads, FEBRUARY, rows=10, seed=1, out=tmp_path)
    before = rows(folder)
    with pytest.raises(KeyboardInterrupt), staged_month(tmp_path, ads, FEBRUARY, replace=True) as staging:
        (staging.events / "part-00000.parquet").write_bytes(b"half")
        raise KeyboardInterrupt
    assert rows(folder) == before
    assert [path.name for path in (tmp_path / "ads").iterdir() if path.name != ".lock"] == ["2026-02"]
