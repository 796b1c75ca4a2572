"""The figures of the layout: sizes of folders, modules and functions, names that are defined twice, import cycles.

`python -m tests.structure` prints them and fails if one is beyond its limit; `make check` runs it.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

import grimp

from tests.assertions import clocks_in_parallel_tests, private_names_in_tests, tests_that_cannot_fail

ROOT = Path(__file__).parents[1]
PACKAGES = ("api", "auth", "cli", "datasets")
MAX_FILES = 15
MAX_LINES = 300
MEDIAN_LINES = 5
P90_LINES = 16

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class LayoutFigure:
    """One line of the table: what was measured, its value, its limit, and what is beyond it."""

    name: str
    value: float
    limit: float
    beyond: tuple[str, ...] = ()

    @property
    def kept(self) -> bool:
        return self.value <= self.limit


def modules(*folders: str) -> list[Path]:
    """Every module under these folders, without `__init__.py`."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(path for path in found if path.name != "__init__.py")


def files_in_largest_folder() -> LayoutFigure:
    """Modules of one folder, without those of its sub-folders; packages and tests."""
    sizes = Counter(path.parent.relative_to(ROOT).as_posix() for path in modules(*PACKAGES, "tests", "bench"))
    return _largest("files in the largest folder", sizes, MAX_FILES)


def lines_of_longest_module() -> LayoutFigure:
    """Lines of a module; packages and tests."""
    sizes = Counter(
        {
            path.relative_to(ROOT).as_posix(): len(path.read_text("utf-8").splitlines())
            for path in modules(*PACKAGES, "tests", "bench")
        }
    )
    return _largest("lines of the longest module", sizes, MAX_LINES)


def lines_of_functions() -> tuple[LayoutFigure, LayoutFigure]:
    """Median and 90th percentile of the lines of a function's body, without its docstring; packages alone."""
    tenths = quantiles([_body_lines(function) for function, _ in _functions()], n=10, method="inclusive")
    return (
        LayoutFigure("lines of a function, median", tenths[4], MEDIAN_LINES),
        LayoutFigure("lines of a function, 90th percentile", tenths[8], P90_LINES),
    )


def class_names_defined_twice() -> LayoutFigure:
    """Names of classes that two modules define; packages and benchmarks."""
    places = defaultdict(set)
    for path in modules(*PACKAGES, "bench"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                places[node.name].add(path.relative_to(ROOT).as_posix())
    return _repeated("class names defined twice", places)


def private_helpers_defined_twice() -> LayoutFigure:
    """Names of private functions that two modules of the packages define at their top level."""
    places = defaultdict(set)
    for path in modules(*PACKAGES):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, Function) and node.name.startswith("_"):
                places[node.name].add(path.relative_to(ROOT).as_posix())
    return _repeated("private helpers defined twice", places)


def import_cycles() -> LayoutFigure:
    """Modules of the packages that import themselves by way of others."""
    graph = grimp.build_graph(*PACKAGES)
    cyclic = sorted(
        module
        for module in graph.modules
        if any(
            graph.find_shortest_chain(importer=imported, imported=module)
            for imported in graph.find_modules_directly_imported_by(module)
        )
    )
    return LayoutFigure("modules in an import cycle", len(cyclic), 0, tuple(cyclic))


def habits_of_tests() -> tuple[LayoutFigure, ...]:
    """What tests must not do, as `tests/assertions.py` finds it."""
    return tuple(
        LayoutFigure(name, len(found), 0, tuple(found))
        for name, found in (
            ("tests that cannot fail", list(tests_that_cannot_fail())),
            ("private names in tests", list(private_names_in_tests())),
            ("clocks in parallel tests", list(clocks_in_parallel_tests())),
        )
    )


def figures() -> tuple[LayoutFigure, ...]:
    """All figures, in the order of the table."""
    return (
        files_in_largest_folder(),
        lines_of_longest_module(),
        *lines_of_functions(),
        class_names_defined_twice(),
        private_helpers_defined_twice(),
        import_cycles(),
        *habits_of_tests(),
    )


def _functions() -> Iterator[tuple[Function, Path]]:
    for path in modules(*PACKAGES):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, Function):
                yield node, path


def _body_lines(function: Function) -> int:
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 1


def _largest(name: str, sizes: Counter[str], limit: int) -> LayoutFigure:
    beyond = tuple(f"{place}: {size}" for place, size in sizes.most_common() if size > limit)
    return LayoutFigure(name, max(sizes.values()), limit, beyond)


def _repeated(name: str, places: dict[str, set[str]]) -> LayoutFigure:
    repeated = tuple(f"{key}: {', '.join(sorted(at))}" for key, at in sorted(places.items()) if len(at) > 1)
    return LayoutFigure(name, len(repeated), 0, repeated)


def main() -> None:
    """Print the table; exit with 1 if a figure is beyond its limit."""
    found = figures()
    for figure in found:
        print(f"{figure.name:<40} {figure.value:>6.4g}   at most {figure.limit:g}")
        for line in figure.beyond:
            print(f"    {line}")
    sys.exit(not all(figure.kept for figure in found))


if __name__ == "__main__":
    main()
