"""What lies in the cache was put there by the user of the process: others may not write to the folder, nor hold its lock for ever."""

import fcntl
import logging
import os
import threading
from pathlib import Path

import pytest

from datasets.release.answer.cache_folder import CacheFolder, CacheFolderBusy, CacheFolderRefused


@pytest.fixture
def path(tmp_path):
    made = tmp_path / "cache"
    made.mkdir(mode=0o700)
    return made


@pytest.fixture
def held(path):
    """The descriptor of a lock that another open file holds, as another process does."""
    descriptor = os.open(path / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    yield descriptor
    os.close(descriptor)


def lock_once(folder):
    with folder.locked():
        return True


def test_a_new_folder_is_closed_to_everybody_else(tmp_path):
    path = tmp_path / "parent" / "home" / "cache"
    before = os.umask(0)
    try:
        with CacheFolder(path).locked():
            assert path.stat().st_mode & 0o777 == 0o700
    finally:
        os.umask(before)
    assert (path / ".lock").stat().st_mode & 0o777 == 0o600
    assert [parent.stat().st_mode & 0o022 for parent in (path.parent, path.parent.parent)] == [0, 0]


@pytest.mark.parametrize("name", ["what?", "back\\slash"])
def test_a_path_that_duckdb_takes_for_another_is_refused_in_a_sentence(tmp_path, name):
    with (
        pytest.raises(CacheFolderRefused, match="question mark or a backslash.*DAYLIGHT_CACHE_DIR"),
        CacheFolder(tmp_path / name).locked(),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o770, 0o720, 0o777, 0o702, 0o1777])
def test_a_folder_that_others_may_write_to_is_refused_in_a_sentence_that_says_what_to_do(path, mode):
    path.chmod(mode)
    with pytest.raises(CacheFolderRefused) as refused, CacheFolder(path).locked():
        pass
    for words in (str(path), f"mode {mode:04o}", "DAYLIGHT_CACHE_DIR", f"chmod 700 {path}"):
        assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    path.chmod(0o700)
    with CacheFolder(path).locked():
        assert (path / ".lock").is_file()


def test_a_folder_of_another_user_is_refused(path):
    foreign = path
    if os.geteuid() == 0:
        os.chown(path, 12345, -1)
    else:
        foreign = Path("/")
    with (
        pytest.raises(CacheFolderRefused, match=r"belongs to the user \d+ .*chown"),
        CacheFolder(foreign).locked(),
    ):
        pass


def test_a_folder_that_others_may_read_is_left_as_it_is(path):
    path.chmod(0o755)
    with CacheFolder(path).locked():
        assert path.stat().st_mode & 0o777 == 0o755


def test_a_lock_that_is_not_released_is_waited_for_until_a_limit(path, held, caplog):
    caplog.set_level(logging.INFO, "daylight.release")
    folder = CacheFolder(path)
    folder.wait_again_seconds = 1e9
    for _ in range(3):
        with pytest.raises(CacheFolderBusy, match=rf"the lock {path}/.lock, .*in vain"):
            folder.patiently(lambda: lock_once(folder), 0.2)
    assert [record.getMessage() for record in caplog.records] == [
        f"waiting for another process to release {path}/.lock"
    ], "once: then it is only tried"
    fcntl.flock(held, fcntl.LOCK_UN)
    with folder.locked(), pytest.raises(BlockingIOError):
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_lock_is_not_waited_for_any_more_when_the_process_ends(path, held):
    folder = CacheFolder(path)
    folder.stop_waiting()
    with pytest.raises(CacheFolderBusy):
        folder.patiently(lambda: lock_once(folder), threading.TIMEOUT_MAX)


def test_a_lock_that_is_released_while_it_is_waited_for_is_taken(path, held):
    class ReleaseLock(logging.Handler):
        def emit(self, record):
            fcntl.flock(held, fcntl.LOCK_UN)

    log, handler = logging.getLogger("daylight.release"), ReleaseLock()
    before = log.level
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        folder = CacheFolder(path)
        assert folder.patiently(lambda: lock_once(folder), 60.0)
    finally:
        log.removeHandler(handler)
        log.setLevel(before)


def test_a_lock_that_is_a_link_is_not_followed(path, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    (path / ".lock").symlink_to(elsewhere)
    with pytest.raises(OSError, match="symbolic links"), CacheFolder(path).locked():
        pass
    assert not elsewhere.exists()


def test_a_lock_that_is_a_pipe_is_refused(path):
    os.mkfifo(path / ".lock")
    with pytest.raises(CacheFolderRefused, match="no regular file"), CacheFolder(path).locked():
        pass


def test_a_lock_that_cannot_be_opened_is_refused_in_a_sentence(path):
    (path / ".lock").mkdir()
    with pytest.raises(CacheFolderRefused, match=r"\.lock cannot be opened by the user .*remove it"):
        CacheFolder(path).locked().__enter__()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_a_lock_of_another_user_is_refused_although_this_one_may_open_it(path):
    (path / ".lock").touch(0o600)
    os.chown(path / ".lock", 12345, -1)
    with pytest.raises(CacheFolderRefused, match="no regular file of the user"), CacheFolder(path).locked():
        pass


def test_a_lock_that_an_earlier_version_made_is_closed_to_others(path):
    (path / ".lock").touch()
    (path / ".lock").chmod(0o664)
    with CacheFolder(path).locked():
        assert (path / ".lock").stat().st_mode & 0o777 == 0o600
