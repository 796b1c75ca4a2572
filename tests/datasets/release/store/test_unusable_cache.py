"""A cache that cannot be used is reported, tried again after a pause, and reported as mended: no restart is needed."""

import pytest

from datasets.release.answer.copy_source import CopySource
from datasets.release.releases import Releases
from tests.datasets.release.damage import ask_crates
from tests.datasets.release.small_release import verify


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


def test_a_full_disk_at_the_start_is_tried_again_after_a_pause_and_reported_once(start, monkeypatch, caplog):
    def raise_disk_full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(CopySource, "write_copy", raise_disk_full)
    checked: list[str] = []
    started = start(checked)
    assert len(started.degraded) == 2
    started.store.retry_seconds = 1e9
    before = len(checked)
    started.store.refresh()
    assert len(checked) == before, "not before the pause is over"
    started.store.retry_seconds = 0.0
    started.store.refresh()
    assert len(checked) > before
    assert len(started.degraded) == 2
    said = [record.getMessage() for record in caplog.records]
    assert sum(text.startswith("serving nothing of this month: harvest 2026-06") for text in said) == 1
    monkeypatch.undo()
    started.store.refresh()
    assert started.degraded == ()
    after = len(checked)
    started.store.refresh()
    assert len(checked) == after
