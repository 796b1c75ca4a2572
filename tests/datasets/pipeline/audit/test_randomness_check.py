"""Noise from the operating system passes the check; a generator or a seed is found wherever it is hidden."""

import os
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import datasets
from datasets.pipeline.audit.examination import production_noise
from datasets.pipeline.audit.randomness_check import (
    FORKED,
    SEEDS,
    SOURCE,
    check_randomness,
    find_seeds,
    suspicious_settings,
)
from datasets.pipeline.measurement import randomness
from datasets.pipeline.settings import BuildSettings
from datasets.privacy import discrete_gaussian


def failed(noise=None, **options):
    return {
        verdict.test
        for verdict in check_randomness(noise or production_noise(), **options)
        if not verdict.passed
    }


def test_the_real_noise_passes():
    assert failed() == set()


SEEDED: dict[str, np.random.Generator] = {}


def seedable_words(number):
    if seed := os.environ.get("DAYLIGHT_SEED"):
        draw = SEEDED.setdefault(seed, np.random.default_rng(int(seed)))
        return draw.integers(0, 2**64, number, dtype=np.uint64, endpoint=False)
    return np.frombuffer(bytearray(os.urandom(8 * number)), dtype=np.uint64)


def test_a_seed_that_could_be_set_in_production_is_caught_even_if_it_is_not_set(monkeypatch):
    monkeypatch.delenv("DAYLIGHT_SEED", raising=False)
    monkeypatch.setattr(randomness, "random_words", seedable_words)
    assert failed() == {SOURCE}
    monkeypatch.setenv("DAYLIGHT_SEED", "7")
    assert failed() == {SOURCE, FORKED}


STATE = np.random.default_rng()


def words_of_a_generator(number):
    return STATE.integers(0, 2**64, number, dtype=np.uint64, endpoint=False)


def test_a_generator_that_the_operating_system_seeded_is_caught(monkeypatch):
    monkeypatch.setattr(randomness, "random_words", words_of_a_generator)
    assert failed() == {SOURCE, FORKED}


def test_a_generator_within_the_privacy_engine_is_caught(monkeypatch):
    def coin(gamma, exact, words, margin):
        return np.random.random(gamma.size) < np.exp(-gamma)

    coin.__module__ = "datasets.privacy.discrete_gaussian"
    monkeypatch.setattr(discrete_gaussian, "_coin", coin)
    assert SOURCE in failed()


@pytest.mark.parametrize(
    "noise",
    [
        partial(discrete_gaussian.discrete_gaussian, words=randomness.random_words),
        lambda scales, words=STATE.bytes: np.zeros(scales.shape, dtype=np.int64),
        lambda scales: np.zeros(scales.shape, dtype=np.int64),
    ],
    ids=["a partial function", "a default that remembers", "no noise"],
)
def test_noise_from_another_kind_of_function_is_caught(noise):
    assert SOURCE in failed(noise)


@pytest.mark.parametrize(
    "line",
    [
        "import random", "from numpy.random import default_rng", "seed: int = 0", "rng = np.random.default_rng(1)",
        "def noise(scales, seed=None): ...", "build_release(d, m, e, w, noise=quiet)", "build_release(d, m, e, w, **more)",
        "os.environ['X']",
    ],
)  # fmt: skip
def test_a_module_of_the_build_that_names_a_seed_is_caught(tmp_path, line):
    root = tmp_path / "datasets"
    for folder in ("pipeline/events", "privacy"):
        (root / folder).mkdir(parents=True)
    (root / "pipeline/events/synthetic.py").write_text("import random\n")
    assert list(find_seeds(root)) == []
    (root / "pipeline/run.py").write_text(line + "\n")
    assert failed(root=root) == {SEEDS}


@pytest.mark.parametrize("line", ["import random", "seed: int = 0", "build_release(d, m, e, c, noise=quiet)"])
@pytest.mark.parametrize("command", ["release.py", "ledger.py", "admin/keys.py"])
def test_a_seed_that_a_command_names_is_caught(tmp_path, command, line):
    root = tmp_path / "datasets"
    (tmp_path / "cli/admin").mkdir(parents=True)
    (tmp_path / "cli/events.py").write_text("import random\n")  # makes synthetic events
    assert list(find_seeds(root)) == []
    (tmp_path / "cli" / command).write_text(line + "\n")
    assert [found.split(" ")[0] for found in find_seeds(root)] == [f"cli/{command}"]
    assert failed(root=root) == {SEEDS}


def test_the_check_finds_the_package_of_the_command_line():
    assert (Path(datasets.__file__).parent.parent / "cli" / "release.py").is_file()


def test_a_setting_with_the_name_of_a_seed_is_caught():
    assert list(suspicious_settings(BuildSettings.model_fields)) == []
    assert list(suspicious_settings({"home": 1, "noise_seed": 2})) == ["the setting noise_seed"]
