"""Releases of neighbouring inputs differ in noise only, and exact information that is planted in one is found."""

import json
import logging

import pyarrow.parquet as pq
import pytest

from datasets.pipeline import run
from datasets.pipeline.audit.release_comparison import FILES, REPLAY, compare_releases
from datasets.pipeline.measurement.randomness import discrete_gaussian_noise
from datasets.pipeline.output import release_files
from tests.datasets.pipeline.small_deployment import HARVEST


def failed(noise=discrete_gaussian_noise):
    """What failed, with the first three places. In one of 20,000 comparisons the size of the cells is among them by chance:
    the files of both builds of each input are then equally long."""
    return {v.test: v.detail for v in compare_releases(HARVEST, noise) if not v.passed}


@pytest.fixture
def plant(monkeypatch):
    """Plants a bug in a build: `plant(name, wrong)` replaces the function `name` that a build calls by `wrong(function)`."""

    def plant(name, wrong):
        module = run if hasattr(run, name) else release_files
        monkeypatch.setattr(module, name, wrong(getattr(module, name)))

    return plant


def test_the_real_build_passes():
    assert failed() == {} or failed() == {}, "chance does it once in 20,000 times, and twice in 4 * 10^8"


class RememberingEngine:
    """An engine that remembers how many rows it has counted."""

    def __init__(self, engine, seen):
        self.engine, self.seen = engine, seen

    def identify(self, source):
        return self.engine.identify(source)

    def resuming(self, progress):
        return RememberingEngine(self.engine.resuming(progress), self.seen)

    def counted(self, *args):
        found = self.engine.counted(*args)
        self.seen["rows"], self.seen["bad"] = found.totals.kept, found.totals.quarantined
        return found


def remember_counts(seen):
    """Remember how many rows a build has, as a bug might."""

    def wrong(real):
        def engine(*args, **named):
            return RememberingEngine(real(*args, **named), seen)

        return engine

    return wrong


def change_manifest(change):
    """Change the manifest before it is signed."""

    def wrong(real):
        def make_manifest(*args, **kwargs):
            return change(real(*args, **kwargs))

        return make_manifest

    return wrong


def test_an_exact_count_in_the_manifest_is_caught(plant):
    seen: dict[str, int] = {}
    plant("LocalEngine", remember_counts(seen))
    plant(
        "make_manifest",
        change_manifest(lambda m: m.model_copy(update={"gaps": (*m.gaps, f"{seen['rows']} rows")})),
    )
    assert "manifest.json: gaps[0]" in failed()[FILES]


def test_an_exact_number_instead_of_a_noisy_one_is_caught(plant):
    seen: dict[str, int] = {}
    plant("LocalEngine", remember_counts(seen))

    def change(manifest):
        measure = manifest.measures[0]
        overall = measure.kept.overall.model_copy(update={"share": 30 / seen["rows"]})
        kept = measure.kept.model_copy(update={"overall": overall})
        return manifest.model_copy(
            update={"measures": (measure.model_copy(update={"kept": kept}), *manifest.measures[1:])}
        )

    plant("make_manifest", change_manifest(change))
    assert "manifest.json: measures[0].kept.overall.share (moves with the events only)" in failed()[FILES]


def test_the_number_of_invalid_rows_in_a_log_line_is_caught(plant):
    seen: dict[str, int] = {}
    plant("LocalEngine", remember_counts(seen))

    def wrong(real):
        def write(*args):
            logging.getLogger("daylight").debug("set aside %d rows", seen["bad"])
            print("rows:", seen["rows"])
            return real(*args)

        return write

    plant("write_cells", wrong)
    assert "output" in failed()[FILES]


@pytest.mark.parametrize("what", ["statistics", "rows left out", "metadata", "numbers", "nulls"])
def test_exact_information_in_the_cells_is_caught(plant, what):
    seen: dict[str, int] = {}
    plant("LocalEngine", remember_counts(seen))

    def wrong(real):
        def write(path, schema, budget, cells):
            rows = real(path, schema, budget, cells)
            table = pq.read_table(path)
            if what == "metadata":
                table = table.replace_schema_metadata({"rows": str(seen["rows"])})
            if what == "rows left out":
                keep = [value is None or abs(value) > 1 for value in table["crates"].to_pylist()]
                table = table.filter(keep)
            if what in ("numbers", "nulls"):
                values = table["crates"].to_pylist()
                values = [
                    v if v is None or abs(v) > 1 else (0.0 if what == "numbers" else None) for v in values
                ]
                table = table.set_column(table.column_names.index("crates"), "crates", [values])
            pq.write_table(table, path, write_statistics=what == "statistics")
            return rows

        return write

    plant("write_cells", wrong)
    # the self-test of a build would find some of it first
    plant("ensure_readable", lambda real: lambda *args: None)
    found = failed()
    assert (REPLAY if what == "numbers" else FILES) in found


def test_a_file_that_exists_for_some_inputs_only_is_caught(plant):
    seen: dict[str, int] = {}
    plant("LocalEngine", remember_counts(seen))

    def wrong(real):
        def write(path, *rest):
            if seen["bad"]:
                path.with_name("quarantine.json").write_text(json.dumps({"some": True}))
            return real(path, *rest)

        return write

    plant("write_cells", wrong)
    assert "quarantine.json" in failed()[FILES]
