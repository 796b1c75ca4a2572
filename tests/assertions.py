"""What a test must have: an assertion that can fail, and no look at what the code keeps private.

`python -m tests.structure` counts the tests that break this; `make check` runs it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
Function = ast.FunctionDef | ast.AsyncFunctionDef

PRIVATE_ON_PURPOSE = {
    "_exit": "os._exit ends a child process as a kill does",
    "_counts_sql": "the audit of a build must find a bug that is planted there",
    "_coin": "the check of the randomness must find a generator that is planted there",
    "_RowsPerSecond": "the only place where the total of a progress bar can be seen",
}
"""Private names that tests read or replace, and why."""

CLOCKS = {"monotonic", "perf_counter", "perf_counter_ns", "monotonic_ns", "elapsed", "timeit"}

ABOUT_INTERNALS = "tests/api/test_internals.py"
"""Its tests are about private parts of libraries that we rely on: one fails when a new version changes them."""


CLOCK_ON_PURPOSE = {
    "tests/api/access/test_rate_limits.py": "the clock that it reads is then set by the test",
    "tests/api/access/test_throttle.py": "more attempts are verified the longer the test takes, so none are too many on a slow machine",
    "tests/datasets/pipeline/test_interruption.py": "the kill comes at a random moment of a build that was measured before",
}
"""Test files that read a clock although they run beside others, and why that cannot make them fail on a busy machine."""


def tests_that_cannot_fail() -> Iterator[str]:
    """Tests without an assertion, a `pytest.raises` or a call of a helper that has one; and assertions that are always true."""
    trees = dict(_trees())
    asserting = _asserting_names(trees.values())
    for place, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, Function) and _is_test(place, node) and not _asserts(node, asserting):
                yield f"{place}:{node.lineno}: {node.name} asserts nothing"
            elif isinstance(node, ast.Assert) and _is_always_true(node.test):
                yield f"{place}:{node.lineno}: {ast.unparse(node.test)} is always true"


def private_names_in_tests() -> Iterator[str]:
    """Private attributes and functions of the packages that tests read, import or replace."""
    for place, tree in _trees():
        if place != ABOUT_INTERNALS:
            for node in ast.walk(tree):
                for name in _private_names(node):
                    if name not in PRIVATE_ON_PURPOSE:
                        yield f"{place}:{getattr(node, 'lineno', 0)}: {name}"


def clocks_in_parallel_tests() -> Iterator[str]:
    """Test files without the marker `alone` that measure how long something takes. CPU time (`process_time`) may be measured."""
    for place, tree in _trees():
        if "/test_" in place and place not in CLOCK_ON_PURPOSE and "mark.alone" not in ast.unparse(tree):
            for node in ast.walk(tree):
                if isinstance(node, ast.Attribute) and node.attr in CLOCKS:
                    yield f"{place}:{node.lineno}: {ast.unparse(node)}"


def _trees() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((ROOT / "tests").rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text("utf-8"))


def _asserting_names(trees: Iterable[ast.Module]) -> set[str]:
    """Functions of the tests that assert something, directly or through another of them. Names are compared, not modules."""
    functions = [node for tree in trees for node in ast.walk(tree) if isinstance(node, Function)]
    found: set[str] = set()
    while more := {each.name for each in functions if each.name not in found and _asserts(each, found)}:
        found |= more
    return found


def _is_test(place: str, function: Function) -> bool:
    return function.name.startswith("test_") and "/test_" in place


def _asserts(function: Function, helpers: set[str]) -> bool:
    return any(
        isinstance(node, ast.Assert) or (isinstance(node, ast.Call) and _is_asserting_call(node, helpers))
        for node in ast.walk(function)
    )


def _is_asserting_call(call: ast.Call, helpers: set[str]) -> bool:
    if isinstance(call.func, ast.Name):
        return call.func.id in helpers
    return isinstance(call.func, ast.Attribute) and (
        call.func.attr.startswith(("assert_", "ensure_"))
        or ast.unparse(call.func) in {"pytest.raises", "pytest.warns", "pytest.fail"}
    )


def _is_always_true(test: ast.expr) -> bool:
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return ast.dump(test.left) == ast.dump(test.comparators[0])
    return isinstance(test, ast.Constant | ast.JoinedStr | ast.Lambda) or (
        isinstance(test, ast.Tuple | ast.List | ast.Dict | ast.Set)
        and bool(ast.unparse(test).strip("[](){}"))
    )


def _private_names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Attribute) and not _is_own(node.value):
        names = [node.attr]
    elif isinstance(node, ast.ImportFrom):
        names = [alias.name for alias in node.names] + (node.module or "").split(".")
    elif isinstance(node, ast.Call) and _is_replacement(node.func):
        names = [
            part
            for each in node.args[:2]
            if isinstance(each, ast.Constant)
            for part in str(each.value).split(".")
        ]
    else:
        return
    yield from (name for name in names if name.startswith("_") and not name.startswith("__"))


def _is_own(value: ast.expr) -> bool:
    """Whether an attribute is read from `self` or `cls`."""
    return isinstance(value, ast.Name) and value.id in {"self", "cls"}


def _is_replacement(function: ast.expr) -> bool:
    """Whether a call gets or sets an attribute by its name."""
    return ast.unparse(function).rsplit(".", 1)[-1] in {"setattr", "getattr", "delattr"}
