"""A command that fails prints one line and ends with exit code 2, never with a traceback."""

import errno
import os
import runpy
import sys

import pytest

from cli import main


def fail(error):
    def app():
        raise error

    return app


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
            "the disk that holds {home} is full; free some space and run the command again",
        ),
        (
            OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "{home}/releases/ledger"),
            "the disk that holds {home}/releases is full; free some space and run the command again",
        ),
        (
            PermissionError(errno.EACCES, os.strerror(errno.EACCES), "{home}/private/salt"),
            "{home}/private/salt cannot be used (Permission denied); check the folder {home}/private and its permissions",
        ),
        (
            OSError(errno.EIO, os.strerror(errno.EIO)),
            "a file under {home} cannot be used (Input/output error); check the folder {home} and its permissions",
        ),
    ],
)
def test_a_disk_error_is_reported_in_one_sentence(tmp_path, monkeypatch, capsys, error, sentence):
    monkeypatch.setenv("DAYLIGHT_HOME", str(tmp_path))
    if error.filename:
        error.filename = error.filename.format(home=tmp_path)
    monkeypatch.setattr(main, "app", fail(error))
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 2
    printed = capsys.readouterr()
    assert printed.err == f"daylight: {sentence.format(home=tmp_path)}\n"
    assert printed.out == ""


def test_a_disk_error_is_reported_even_if_a_setting_is_not_valid(monkeypatch, capsys):
    monkeypatch.setenv("DAYLIGHT_RHO_CAP_YEAR", "lots")
    monkeypatch.setattr(main, "app", fail(OSError(errno.EIO, os.strerror(errno.EIO))))
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 2
    printed = capsys.readouterr().err
    assert printed.startswith(
        "daylight: Input/output error; and the setting DAYLIGHT_RHO_CAP_YEAR cannot be used"
    )
    assert printed.count("\n") == 1


def test_python_can_run_the_package_as_the_command(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["daylight", "--help"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("cli", run_name="__main__")
    assert ended.value.code == 0
    assert "keys and the audit log" in capsys.readouterr().out
