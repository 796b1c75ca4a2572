"""`daylight` says so if another installed package has the name of one of Daylight's, whichever of them Python imports.

The distributions are real ones, with a package and its `dist-info`, in a folder of their own. Daylight runs from this checkout, or
from a copy of it that is laid out as pip installs it.
"""

import os
import shutil
import subprocess
import sys
from base64 import urlsafe_b64encode
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import pytest

import daylight_launcher
from daylight_launcher import PACKAGES

ROOT = Path(daylight_launcher.__file__).parent
COMMAND = [str(Path(sys.executable).with_name("daylight"))]
RUN = [sys.executable, "-c", "from daylight_launcher import main; main()"]
ADVICE = "give Daylight a virtual environment of its own\n"


def install(site, distribution, files):
    """Lay the files of a distribution into a folder as pip does, with their hashes; files of the same names are overwritten."""
    name, number = distribution.split()
    record = []
    for path, text in files.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_bytes(text)
        digest = urlsafe_b64encode(sha256(text).digest()).decode().rstrip("=")
        record.append(f"{path},sha256={digest},{len(text)}")
    folder = site / f"{name}-{number}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n")
    (folder / "RECORD").write_text("\n".join([*record, f"{folder.name}/RECORD,,"]) + "\n")


def install_daylight(site):
    files = [
        ROOT / "daylight_launcher.py",
        *(file for name in PACKAGES for file in (ROOT / name).rglob("*.py")),
    ]
    install(
        site,
        f"daylight {version('daylight')}",
        {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in files},
    )


def install_hugging_face(site):
    install(
        site,
        "datasets 4.0.0",
        {"datasets/__init__.py": b"from datasets import load", "datasets/load.py": b""},
    )


def run(command, *places):
    """The exit code and the lines on stderr of `daylight --version`, with these folders first on the search path."""
    surroundings = os.environ | {
        "PYTHONPATH": os.pathsep.join(map(str, places)),
        "PYTHONDONTWRITEBYTECODE": "",
    }
    finished = subprocess.run(
        [*command, "--version"], env=surroundings, cwd=places[0], capture_output=True, text=True
    )
    assert finished.stdout == ("" if finished.returncode else f"{version('daylight')}\n")
    return finished.returncode, finished.stderr


@pytest.fixture
def site(tmp_path):
    """A folder for installed distributions."""
    (tmp_path / "site").mkdir()
    return tmp_path / "site"


def test_nothing_is_reported_if_no_other_package_has_one_of_the_names(site):
    install(site, "pandas_like 3.0", {"pandas_like/__init__.py": b"", "pandas_like/api/__init__.py": b""})
    assert run(COMMAND, site) == (0, "")


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_that_is_imported_in_place_of_ours_is_an_error_in_one_sentence(site, name):
    install(site, "another 1.2", {f"{name}/__init__.py": b"raise RuntimeError('must not be imported')"})
    assert run(COMMAND, site) == (
        2,
        "daylight: another package is imported in place of Daylight's of the same name: "
        f"{name} of another 1.2 in {site}/{name}; {ADVICE}",
    )


def test_a_module_or_a_folder_without_init_that_is_imported_in_place_of_ours_is_an_error(site):
    (site / "cli.py").write_text("")
    (site / "api").mkdir()  # comes before the finder of an installation in editable mode
    code, printed = run(COMMAND, site)
    assert code == 2
    assert (
        f"api of no distribution in {site}/api, cli of no distribution in {site}/cli.py; {ADVICE}" in printed
    )
    assert printed.count("\n") == 1


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_that_ours_hides_is_a_warning_in_one_sentence_and_the_command_runs(site, name):
    install(site, "another 1.2", {f"{name}/__init__.py": b""})
    assert run(COMMAND, ROOT, site) == (
        0,
        "daylight: warning: another package cannot be imported, since Daylight's has the same name: "
        f"{name} of another 1.2 in {site}/{name}; {ADVICE}",
    )


def test_a_hidden_folder_without_init_is_reported_only_if_it_was_installed(site):
    (site / "api").mkdir()
    assert run(COMMAND, ROOT, site) == (0, "")
    install(site, "stubs 1.0", {"api/messages.py": b""})
    code, printed = run(COMMAND, ROOT, site)
    assert (code, f"api of stubs 1.0 in {site}/api" in printed) == (0, True)


def test_an_installed_daylight_reports_nothing_even_if_its_packages_have_been_compiled(site):
    install_daylight(site)
    assert run(RUN, site) == (0, "")
    assert list((site / "datasets").rglob("*.pyc"))
    assert run(RUN, site) == (0, "")


def test_a_package_that_was_installed_over_ours_is_an_error(site):
    install_daylight(site)
    install_hugging_face(site)
    assert run(RUN, site) == (
        2,
        "daylight: another package is imported in place of Daylight's of the same name: "
        f"datasets of datasets 4.0.0 in {site}/datasets; {ADVICE}",
    )


def test_a_package_that_ours_was_installed_over_is_a_warning(site):
    install_hugging_face(site)
    install_daylight(site)
    assert run(RUN, site) == (
        0,
        "daylight: warning: another package cannot be imported, since Daylight's has the same name: "
        f"datasets of datasets 4.0.0 in {site}/datasets; {ADVICE}",
    )


def test_a_package_that_overwrote_one_of_our_modules_is_an_error(site):
    install(site, "another 1.2", {"api/__init__.py": b"", "api/views.py": b""})
    install_daylight(site)
    (site / "api" / "settings.py").write_bytes(b"DEBUG = True")
    code, printed = run(RUN, site)
    assert (code, f"api of another 1.2 in {site}/api" in printed) == (2, True)


@pytest.mark.parametrize("file", ["datasets/__init__.py", "api/settings.py"])
def test_a_file_of_ours_that_is_missing_is_an_error_that_blames_no_other_package(site, file):
    install_daylight(site)
    (site / file).unlink()
    assert run(RUN, site) == (
        2,
        f"daylight: its installation in {site} is incomplete; install Daylight again; it lacks: {file}\n",
    )


def test_a_second_copy_of_daylight_on_the_search_path_is_not_another_package(site):
    install_daylight(site)
    assert run(RUN, ROOT, site) == (0, "")


def test_a_package_installed_in_editable_mode_is_found(site, monkeypatch):
    """Such an installation adds a finder of its own behind that of the search path."""
    install(site, "another 1.2", {"elsewhere/cli/__init__.py": b""})
    (site / "another-1.2.dist-info" / "top_level.txt").write_text("cli\n")

    class EditableFinder:
        @classmethod
        def find_spec(cls, name, path=None, target=None):
            from importlib.machinery import PathFinder

            return PathFinder.find_spec(name, [str(site / "elsewhere")])

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, EditableFinder])
    monkeypatch.setattr(sys, "path", [*sys.path, str(site)])
    (found,) = daylight_launcher.hidden_packages()
    assert found == ("cli", site / "elsewhere" / "cli", "another 1.2")


def test_python_m_cli_reports_the_same(site):
    shutil.copytree(ROOT / "cli", site / "cli")
    install(site, "another 1.2", {"datasets/__init__.py": b""})
    code, printed = run([sys.executable, "-m", "cli"], site)
    assert (code, f"datasets of another 1.2 in {site}/datasets" in printed) == (2, True)
