"""A sealed file is known by its bytes; what anyone can set back, as its size and its time of modification, proves nothing."""

import os

import pytest

from datasets.release.answer.sealed_file import FileChanged, OpenFile, open_sealed, read_seal, seal_of

KEY = b"key"


@pytest.fixture
def path(tmp_path):
    made = tmp_path / "copy.duckdb"
    made.write_bytes(b"the cells of a release")
    return made


@pytest.fixture
def opened(path):
    file = OpenFile(path)
    yield file
    file.close()


def test_an_edit_of_the_same_length_is_seen_although_the_time_of_modification_was_set_back(path, opened):
    assert opened.is_unchanged
    before = path.stat()
    with path.open("r+b") as file:
        file.write(b"THE")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert not opened.is_unchanged
    assert not opened.is_unchanged, "and from then on"


def test_a_file_that_was_touched_moved_or_removed_is_unchanged(path, opened):
    path.touch()
    assert opened.is_unchanged
    path.rename(path.with_name("moved"))
    assert opened.is_unchanged
    assert not opened.is_at_its_path
    path.with_name("moved").unlink()
    assert opened.is_unchanged


def test_another_file_with_the_same_bytes_is_not_the_one_that_was_opened(path, opened):
    assert opened.is_at_its_path
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    other.replace(path)
    assert opened.is_unchanged
    assert not opened.is_at_its_path


def test_a_closed_file_does_not_count_as_unchanged(opened):
    opened.close()
    opened.close()
    assert not opened.is_unchanged


def test_a_link_is_not_followed_and_a_pipe_or_a_folder_is_no_file(path, tmp_path):
    link, pipe = tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(path)
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="symbolic links"):
        OpenFile(link)
    for other in (pipe, tmp_path):
        with pytest.raises(FileChanged, match="no regular file"):
            OpenFile(other)


def test_a_seal_is_that_of_one_name_one_release_one_content_and_one_key():
    seals = {
        seal_of("a", "f", "0", KEY),
        seal_of("b", "f", "0", KEY),
        seal_of("a", "g", "0", KEY),
        seal_of("a", "f", "1", KEY),
        seal_of("a", "f", "0", b"another"),
    }
    assert len(seals) == 5


def test_only_the_right_seal_opens_a_file(path, opened):
    seal = seal_of(path.name, "fingerprint", opened.sha256, KEY)
    open_sealed(path, "fingerprint", seal, KEY).close()
    for fingerprint, wrong in (("another", seal), ("fingerprint", seal[:-1]), ("fingerprint", "é")):
        with pytest.raises(FileChanged, match="not those that were sealed"):
            open_sealed(path, fingerprint, wrong, KEY)


def give_away(path):
    """To another user if this one may do so, which only root may; else to everybody."""
    if os.geteuid() == 0:
        os.chown(path, 12345, -1)
    else:
        path.chmod(0o606)


def let_the_group_write(path):
    path.chmod(0o620)


def let_everybody_write(path):
    path.chmod(0o602)


@pytest.mark.parametrize("open_it", [give_away, let_the_group_write, let_everybody_write])
def test_a_file_or_a_seal_that_others_may_write_to_is_refused_however_right_it_is(path, opened, open_it):
    seal = seal_of(path.name, "fingerprint", opened.sha256, KEY)
    written = path.with_name("copy.seal")
    written.write_text(f"{path.name} {seal}\n")
    assert read_seal(written) == (path.name, seal)
    open_sealed(path, "fingerprint", seal, KEY).close()
    for each in (path, written):
        open_it(each)
    with pytest.raises(FileChanged, match="belongs to the user|may be written to by"):
        open_sealed(path, "fingerprint", seal, KEY)
    with pytest.raises(FileChanged, match="belongs to the user|may be written to by"):
        read_seal(written)
