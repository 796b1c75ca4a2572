"""What the command says when it cannot do what it was asked: one line and exit code 2, never a traceback."""

import errno
import os

import pytest

from cli import main


def fail(error):
    def app():
        raise error

    return app


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
            "the disk is full that holds {home}; make room there and give the command again",
        ),
        (
            OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "{home}/releases/ledger"),
            "the disk is full that holds {home}/releases; make room there and give the command again",
        ),
        (
            PermissionError(errno.EACCES, os.strerror(errno.EACCES), "{home}/private/salt"),
            "{home}/private/salt cannot be used (Permission denied); check the folder {home}/private and its permissions",
        ),
        (
            OSError(errno.EIO, os.strerror(errno.EIO)),
            "something under {home} cannot be used (Input/output error); check the folder {home} and its permissions",
        ),
    ],
)
def test_a_disk_that_fails_is_spoken_of_in_one_sentence(tmp_path, monkeypatch, capsys, error, words):
    monkeypatch.setenv("DAYLIGHT_HOME", str(tmp_path))
    if error.filename:
        error.filename = error.filename.format(home=tmp_path)
    monkeypatch.setattr(main, "app", fail(error))
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert said.err == f"daylight: {words.format(home=tmp_path)}\n"
    assert said.out == ""


def test_a_disk_that_fails_under_wrong_settings_is_spoken_of_all_the_same(monkeypatch, capsys):
    monkeypatch.setenv("DAYLIGHT_RHO_CAP_YEAR", "lots")
    monkeypatch.setattr(main, "app", fail(OSError(errno.EIO, os.strerror(errno.EIO))))
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith(
        "daylight: Input/output error; and the setting DAYLIGHT_RHO_CAP_YEAR cannot be used"
    )
    assert said.count("\n") == 1
