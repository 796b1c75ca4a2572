"""Both lock files install on every supported version of Python, and agree.

Markers are evaluated for versions that are not installed here: a lock that was resolved for one version alone lacks what another
needs (redis requires async-timeout below 3.11.3).
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OPTIONAL = PROJECT["optional-dependencies"]
REQUIRED = {
    "requirements.lock": [*PROJECT["dependencies"], *OPTIONAL["build"]],
    "requirements-dev.lock": [*PROJECT["dependencies"], *OPTIONAL["build"], *OPTIONAL["dev"]],
}
"""What each lock is made from."""
MINORS = [line.rpartition(" ")[2] for line in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", line)]
VERSIONS = [f"{minor}.{patch}" for minor in MINORS for patch in range(16)]


def read_lock(name):
    """The locked requirement of each distribution, with its marker, and its hashes."""
    entries = re.split(r"^(?=[a-zA-Z0-9])", (ROOT / name).read_text(), flags=re.M)
    pinned = [Requirement(entry.split("\\\n")[0]) for entry in entries if entry.strip()]
    hashes = [
        frozenset(re.findall(r"--hash=(sha256:[0-9a-f]{64})\b", entry)) for entry in entries if entry.strip()
    ]
    return {
        canonicalize_name(requirement.name): (requirement, found)
        for requirement, found in zip(pinned, hashes, strict=True)
    }


HERE = default_environment()
LOCKS = {name: read_lock(name) for name in REQUIRED}


@cache
def environment(version, extra=""):
    """The environment of markers on CPython `version`, on this platform."""
    return HERE | {
        "python_version": version.rpartition(".")[0],
        "python_full_version": version,
        "implementation_version": version,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "extra": extra,
    }


def applies(requirement, version, extras=("",)):
    """Whether a requirement holds on this version of Python, for one of these extras."""
    return requirement.marker is None or any(
        requirement.marker.evaluate(environment(version, extra)) for extra in extras
    )


@cache
def supported_pythons(name):
    """The versions of Python that a distribution supports."""
    try:
        return SpecifierSet(str(distribution(name).metadata.json.get("requires_python", "")))
    except PackageNotFoundError:  # it is not required on this version of Python
        return SpecifierSet()


@cache
def requirements_listed(name):
    """What the installed distribution requires on any version of Python, with markers."""
    try:
        return tuple(map(Requirement, distribution(name).requires or []))
    except PackageNotFoundError:  # it is not required on this version of Python
        return ()


def requirements_of(name, extras, version):
    """What a distribution requires on this version of Python, itself and for these extras."""
    return [one for one in requirements_listed(name) if applies(one, version, ("", *extras))]


@cache
def required(name, version):
    """Every requirement that a lock must meet on this version of Python: the project's, theirs, and so on."""
    waiting = [one for one in map(Requirement, REQUIRED[name]) if applies(one, version)]
    found = {}
    while waiting:
        requirement = waiting.pop()
        if str(requirement) not in found:
            found[str(requirement)] = requirement
            waiting += requirements_of(requirement.name, sorted(requirement.extras), version)
    return tuple(found.values())


def missing(lock, name, version):
    """The requirements that these locked lines do not meet on this version of Python."""
    for requirement in required(name, version):
        pinned, _ = lock.get(canonicalize_name(requirement.name), (None, None))
        if pinned is None or not applies(pinned, version):
            yield str(requirement)
        elif not requirement.specifier.contains(locked_version(pinned), prereleases=True):
            yield f"{requirement}, not {pinned}"


def locked_version(pinned):
    (clause,) = pinned.specifier
    assert clause.operator == "=="
    return clause.version


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_everything_that_is_required_on_each_supported_python(name):
    for version in VERSIONS:
        assert list(missing(LOCKS[name], name, version)) == [], version


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_without_async_timeout_is_found_to_be_incomplete_below_3_11_3(name):
    without = {key: value for key, value in LOCKS[name].items() if key != "async-timeout"}
    incomplete = [version for version in VERSIONS if list(missing(without, name, version))]
    assert incomplete == ["3.11.0", "3.11.1", "3.11.2"]


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_nothing_that_no_supported_python_requires(name):
    """The runtime lock is what a deployment installs: no tool of developers is in it."""
    reached = {canonicalize_name(one.name) for version in VERSIONS for one in required(name, version)}
    locked = {
        key
        for key, (pinned, _) in LOCKS[name].items()
        if any(applies(pinned, version) for version in VERSIONS)
    }
    assert locked == reached


def test_the_development_lock_has_every_line_of_the_runtime_lock():
    runtime, development = LOCKS["requirements.lock"], LOCKS["requirements-dev.lock"]
    for name, (pinned, hashes) in runtime.items():
        other, found = development[name]
        assert (pinned.specifier, hashes) == (other.specifier, found), name
        for version in VERSIONS:
            assert not applies(pinned, version) or applies(other, version), f"{name} on {version}"


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_distribution_has_hashes_and_a_version_that_supports_each_python(name):
    for key, (pinned, hashes) in LOCKS[name].items():
        assert hashes, f"{key} has no hash"
        locked_version(pinned)
        for version in VERSIONS:
            if applies(pinned, version):
                assert supported_pythons(key).contains(version), f"{key} on {version}"


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_index_and_no_place_of_the_machine_that_made_it(name):
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert not re.search(r"(^|\s)(-i|-f|--index-url|--extra-index-url|--find-links|--trusted-host)\b", text)
    assert not re.search(r"\s/\w", text)


def test_every_locked_distribution_of_this_python_is_installed_in_its_version():
    """Otherwise the requirements of other versions of Python would be read from other metadata, or from none."""
    here = ".".join(map(str, sys.version_info[:3]))
    for name, (pinned, _) in LOCKS["requirements-dev.lock"].items():
        if applies(pinned, here):
            assert distribution(name).version == locked_version(pinned), name


def test_the_project_supports_the_versions_that_the_locks_are_resolved_for():
    allowed = SpecifierSet(PROJECT["requires-python"])
    assert MINORS == ["3.11", "3.12", "3.13"]
    assert [minor for minor in ("3.10", *MINORS, "3.14") if f"{minor}.0" in allowed] == MINORS
    makefile = (ROOT / "Makefile").read_text()
    assert f"--python-version {MINORS[0]} " in makefile
    assert all(f"python{minor}" in makefile for minor in MINORS)


@pytest.mark.parametrize(("version", "is_made_anew"), [("Python 3.11.0", True), ("", False)])
def test_an_environment_of_another_python_than_the_one_given_is_made_anew(tmp_path, version, is_made_anew):
    """`make .venv/runtime PYTHON=...`; without PYTHON, or with that of the environment, what is installed is left alone."""
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".venv" / "runtime").touch()
    other = tmp_path / "python"
    other.write_text(
        f'#!/bin/sh\n[ "$1" != -V ] || exec echo "{version}"\n'
        if version
        else f'#!/bin/sh\nexec {sys.executable} "$@"\n'
    )
    other.chmod(0o755)
    surroundings = {name: text for name, text in os.environ.items() if name not in {"MAKEFLAGS", "PYTHON"}}
    for given, expected in (([f"PYTHON={other}"], is_made_anew), ([], False)):
        planned = subprocess.run(
            ["make", "--dry-run", ".venv/runtime", *given],
            cwd=tmp_path,
            env=surroundings,
            capture_output=True,
            text=True,
            check=True,
        )
        assert ("-m venv --clear .venv" in planned.stdout) == expected
