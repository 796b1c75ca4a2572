"""A cache that cannot be used is reported, tried again after a pause, and reported as mended: no restart is needed."""

import fcntl
import logging
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from datasets.release.answer.copy_source import CopySource
from datasets.release.answer.serving_copy import QUESTION_WAIT_SECONDS
from datasets.release.format.verification import ReleaseUnavailable
from datasets.release.releases import Releases
from datasets.release.store import store
from tests.datasets.pipeline.small_dataset import JUNE
from tests.datasets.release.damage import ask_crates
from tests.datasets.release.small_release import verify, write_release


@pytest.fixture
def cache(tmp_path):
    made = tmp_path / "cache"
    made.mkdir(mode=0o700)
    return made


@pytest.fixture
def start(root, cache):
    """Starts a reader that counts how often a signature is verified."""
    opened = []

    def open_(checked):
        def counting(text, signature):
            checked.append(signature)
            verify(text, signature)

        opened.append(Releases(root, cache, counting, ("harvest",), refresh_seconds=-1.0))
        return opened[-1]

    yield open_
    for releases in opened:
        releases.close()


def test_a_folder_that_others_may_write_to_is_reported_and_used_once_it_is_mended(
    start, cache, caplog, releases
):
    cache.chmod(0o777)
    started = start([])
    assert len(started.degraded) == 2
    for trouble in started.degraded:
        assert trouble.endswith("its files or its serving copy cannot be read or written")
        assert str(cache) not in trouble, "it is public"
    assert f"chmod 700 {cache}" in caplog.text
    assert "DAYLIGHT_CACHE_DIR" in caplog.text
    assert list(cache.iterdir()) == []
    cache.chmod(0o700)
    started.store.retry_seconds = 0.0
    started.store.refresh()
    assert started.degraded == ()
    assert ask_crates(started).rows == ask_crates(releases).rows
    assert "harvest 2026-06 is served as its pointer says again" in caplog.text


def test_a_folder_that_is_opened_to_others_later_is_noticed_when_the_next_copy_is_opened(
    start, cache, releases
):
    started = start([])
    cache.chmod(0o777)
    assert ask_crates(started).rows == ask_crates(releases).rows
    started.store.refresh()
    assert started.degraded == ()
    earlier = started.question("harvest", [("measure", "crates"), ("release", "2026-06.1")])
    with pytest.raises(ReleaseUnavailable, match="can neither be read nor made at the moment"):
        started.ask(earlier)
    assert len(start([]).degraded) == 2


def test_a_full_disk_at_the_start_is_tried_again_after_a_pause_and_reported_once(start, monkeypatch, caplog):
    tried = []

    def raise_disk_full(source, *_):
        tried.append(source)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(CopySource, "write_copy", raise_disk_full)
    checked: list[str] = []
    started = start(checked)
    assert len(started.degraded) == 2
    started.store.retry_seconds = 1e9
    before, generation = (len(checked), len(tried)), started.store.generation
    started.store.refresh()
    assert (len(checked), len(tried)) == before, "not before the pause is over"
    started.store.retry_seconds = 0.0
    started.store.refresh()
    assert (len(checked), len(tried)) == (before[0], before[1] + 2), "the release was verified before"
    assert started.store.generation == generation, "answers that are kept stay valid"
    assert len(started.degraded) == 2
    said = [record.getMessage() for record in caplog.records]
    assert sum(text.startswith("serving nothing of this month: harvest 2026-06") for text in said) == 1
    monkeypatch.undo()
    started.store.refresh()
    assert started.degraded == ()
    after = len(checked)
    started.store.refresh()
    assert len(checked) == after


def test_a_release_is_described_without_a_cache_and_a_question_to_it_is_refused_for_now(start, cache, caplog):
    cache.chmod(0o775)
    started = start([])
    with pytest.raises(ReleaseUnavailable, match="no current release of harvest can be served .* name one"):
        started.find("harvest", "latest")
    for name in ("2026-06.1", "2026-06.2"):
        found = started.find("harvest", name)
        assert found.codebook.dataset == "harvest"
        question = started.question("harvest", [("measure", "crates"), ("release", found.name)])
        with pytest.raises(
            ReleaseUnavailable, match="can neither be read nor made at the moment; ask again later"
        ) as refused:
            started.ask(question)
        assert str(cache) not in str(refused.value), "it is public"
        assert str(cache) in caplog.text


def test_a_release_whose_files_cannot_be_read_is_refused_for_now(start, monkeypatch):
    started = start([])

    def raise_input_output_error(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(store, "open_release", raise_input_output_error)
    with pytest.raises(ReleaseUnavailable, match="cannot be read now"):
        started.find("harvest", "2026-06.1")


def test_a_lock_that_hangs_is_waited_for_once_and_not_once_a_month(start, cache, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "daylight.release")
    monkeypatch.setattr(store, "REFRESH_WAIT_SECONDS", 0.1)
    descriptor = os.open(cache / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        started = start([])
        assert len(started.degraded) == 2
        waits = [record for record in caplog.records if record.getMessage().startswith("waiting for")]
        assert len(waits) == 1
        started.store.retry_seconds = 0.0
        started.store.refresh()
        waits = [record for record in caplog.records if record.getMessage().startswith("waiting for")]
        assert len(waits) == 1, "a look soon after a vain wait only tries"
    finally:
        os.close(descriptor)
    assert ask_crates(started).rows
    started.store.refresh()
    assert started.degraded == ()


class _Waiting(logging.Handler):
    """Whether a thread of this process has begun to wait for the lock of a cache."""

    def __init__(self):
        super().__init__(logging.INFO)
        self.has_begun = threading.Event()

    def emit(self, record):
        if record.getMessage().startswith("waiting for another process"):
            self.has_begun.set()


@pytest.fixture
def waiting():
    log, handler = logging.getLogger("daylight.release"), _Waiting()
    before = log.level
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    yield handler.has_begun
    log.removeHandler(handler)
    log.setLevel(before)


def test_a_look_waits_while_another_store_makes_a_copy_for_longer_than_a_question_would(
    start, root, monkeypatch, waiting
):
    first, second = start([]), start([])
    write_release(root, month=JUNE, seed=8, revision=3)
    is_making, write_copy = threading.Event(), CopySource.write_copy

    def write_slowly(*arguments):
        is_making.set()
        assert waiting.wait(60.0)
        time.sleep(QUESTION_WAIT_SECONDS * 1.5)
        return write_copy(*arguments)

    monkeypatch.setattr(CopySource, "write_copy", write_slowly)
    with ThreadPoolExecutor(1) as threads:
        making = threads.submit(first.store.refresh)
        assert is_making.wait(60.0)
        second.store.refresh()
        making.result()
    for releases in (first, second):
        assert releases.degraded == ()
        assert releases.find("harvest", "latest").name == "2026-06.3"


def test_a_question_does_not_wait_for_a_look_that_waits_and_its_own_vain_second_does_not_end_that_look(
    start, root, cache, waiting
):
    started = start([])
    started.store.refresh_seconds = 1e9  # only the test looks
    write_release(root, month=JUNE, seed=8, revision=3)
    earlier = started.question("harvest", [("measure", "crates"), ("release", "2026-06.1")])
    descriptor = os.open(cache / ".lock", os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        with ThreadPoolExecutor(1) as threads:
            with pytest.raises(ReleaseUnavailable):
                started.ask(earlier)
            waiting.clear()
            look = threads.submit(started.store.refresh)
            assert waiting.wait(60.0), "although the question waited in vain a moment ago"
            with pytest.raises(ReleaseUnavailable):
                started.ask(earlier)
            assert not look.done()
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            look.result()
    finally:
        os.close(descriptor)
    assert (started.degraded, started.find("harvest", "latest").name) == ((), "2026-06.3")
