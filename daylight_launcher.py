"""The command `daylight` starts here: it reports other packages named like Daylight's before it imports any.

Daylight's packages have common names, which other distributions use too. Python imports the one that comes first on its
search path; a distribution that is installed into the same folder overwrites files of the other. If Daylight's package
is not the one that is imported, or lacks a file, nothing works: that is an error. If Daylight's hides another, that is a
warning.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import Distribution, distributions
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import NamedTuple

PACKAGES = ("api", "auth", "cli", "datasets")
HERE = Path(__file__).absolute().parent
"""The folder of Daylight's packages: site-packages, or a checkout."""
ADVICE = "give Daylight a virtual environment of its own"


class OtherPackage(NamedTuple):
    """A package named like one of Daylight's, its folder or file, and its distribution with the version if it has one."""

    name: str
    place: Path
    distribution: str

    def __str__(self) -> str:
        return f"{self.name} of {self.distribution or 'no distribution'} in {self.place}"


class InstalledFile(NamedTuple):
    """What RECORD says of an installed file: its hash, and its size in bytes."""

    digest: str
    size: int


def main() -> None:
    """Report other packages of the same names; then run the command, unless one is imported in place of Daylight's."""
    if missing := missing_files():
        _report(f"its installation in {HERE} is incomplete; install Daylight again; it lacks", missing, "")
        sys.exit(2)
    shared = list(packages_in_the_same_folder())
    if imported := [*packages_imported_instead(), *(other for other in shared if not _is_intact(other.name))]:
        _report("another package is imported in place of Daylight's of the same name", imported)
        sys.exit(2)
    if hidden := [*hidden_packages(), *shared]:
        _report("warning: another package cannot be imported, since Daylight's has the same name", hidden)
    from cli.main import main as run_command

    run_command()


def _report(problem: str, found: Iterable[object], advice: str = f"; {ADVICE}") -> None:
    print(f"daylight: {problem}: {', '.join(map(str, found))}{advice}", file=sys.stderr)


def missing_files() -> list[str]:
    """At most three of the installed files that are gone, perhaps removed with another package of the same name.

    None in a clone, where nothing lists the files but git.
    """
    files = (file for of_package in _installed_files().values() for file in of_package)
    return list(islice((file for file in files if not (HERE / file).exists()), 3))


def packages_imported_instead() -> Iterator[OtherPackage]:
    """Those that Python imports where Daylight means its own package."""
    for name in PACKAGES:
        spec = find_spec(name)
        if spec and not _is_ours(spec):
            yield _describe(name, _place(spec))


def hidden_packages() -> Iterator[OtherPackage]:
    """Those elsewhere on the search path, which Python does not import because it finds Daylight's first."""
    for name in PACKAGES:
        for place, is_regular in _candidates(name).items():
            if (place.parent / Path(__file__).name).exists():
                continue  # Daylight itself, or a second copy of it
            other = _describe(name, place)
            if is_regular or other.distribution:  # any folder can be imported: alone, that is no package
                yield other


def packages_in_the_same_folder() -> Iterator[OtherPackage]:
    """Those whose files lie among Daylight's, where both were installed into the same site-packages.

    All distributions are searched, and files hashed, only if a folder differs from the list of Daylight's installed files.
    """
    for name, files in _installed_files().items():
        if _seems_shared(name, files):
            for found in _distributions_with(name):
                if Path(str(found.locate_file(""))) == HERE:
                    yield OtherPackage(name, HERE / name, _title(found))


def _seems_shared(name: str, files: Mapping[str, InstalledFile]) -> bool:
    """Whether the package's folder has an entry that is not Daylight's, or an `__init__.py` of another size."""
    ours = {Path(file).parts[1] for file in files} | {"__pycache__"}
    init = HERE / name / "__init__.py"
    return (
        any(entry.name not in ours for entry in init.parent.iterdir())
        or init.stat().st_size != files[f"{name}/__init__.py"].size
    )


def _candidates(name: str) -> dict[Path, bool]:
    """Every place at which this package could be imported, and whether it has a module or an `__init__.py` there."""
    specs: list[ModuleSpec | None] = [PathFinder.find_spec(name, [entry]) for entry in sys.path]
    # Installations in editable mode have finders of their own.
    finders = [one for one in sys.meta_path if one is not PathFinder and hasattr(one, "find_spec")]
    specs += [one.find_spec(name, None) for one in finders]
    return {_place(spec): spec.origin is not None for spec in specs if spec}


def _is_ours(spec: ModuleSpec) -> bool:
    expected = HERE / spec.name / "__init__.py"
    found = Path(spec.origin or "")
    return found == expected or (found.is_file() and expected.is_file() and found.samefile(expected))


def _place(spec: ModuleSpec) -> Path:
    if spec.origin is None:
        return Path(next(iter(spec.submodule_search_locations or ("",))))
    origin = Path(spec.origin)
    return origin.parent if origin.stem == "__init__" else origin


def _describe(name: str, place: Path) -> OtherPackage:
    found = list(_distributions_with(name))
    beside = [one for one in found if Path(str(one.locate_file(""))) == place.parent]
    return OtherPackage(name, place, next(map(_title, beside or found), ""))


def _distributions_with(name: str) -> Iterator[Distribution]:
    """The installed distributions, other than Daylight, that have a package or module of this name."""
    starts = (f"{name}/", f"{name}.")
    for found in distributions():
        modules = (found.read_text("top_level.txt") or "").split()
        files = (found.read_text("RECORD") or "").splitlines()
        if found.name != "daylight" and (name in modules or any(file.startswith(starts) for file in files)):
            yield found


def _title(found: Distribution) -> str:
    return f"{found.name} {found.version}"


@cache
def _installed_files() -> Mapping[str, Mapping[str, InstalledFile]]:
    """The installed files of each package (RECORD); nothing if Daylight is installed in editable mode."""
    record = next(HERE.glob("daylight-[0-9]*.dist-info/RECORD"), None)
    lines = record.read_text("utf-8").splitlines() if record else []
    files: dict[str, dict[str, InstalledFile]] = {}
    for file, digest, size in (line.rsplit(",", 2) for line in lines):
        package = file.partition("/")[0]
        if package in PACKAGES and not file.endswith(".pyc"):
            files.setdefault(package, {})[file] = InstalledFile(digest, int(size))
    return files


def _is_intact(name: str) -> bool:
    """Whether all installed files of the package are still Daylight's."""
    return all(_digest(HERE / file) == ours.digest for file, ours in _installed_files()[name].items())


def _digest(file: Path) -> str:
    """The SHA-256 of a file as RECORD writes it."""
    from base64 import urlsafe_b64encode
    from hashlib import sha256

    return f"sha256={urlsafe_b64encode(sha256(file.read_bytes()).digest()).decode().rstrip('=')}"


if __name__ == "__main__":
    main()
