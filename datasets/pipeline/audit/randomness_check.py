"""Checks that noise comes from the operating system's generator, and from nothing that could be set, read or repeated.

There are three checks. The functions that draw the noise use nothing but `os.urandom` and arithmetic. No module of the build
or of the command line names a generator or a seed, except those that make synthetic events. Two processes with identical
memory, and so with the same state of any generator, draw different noise.
"""

from __future__ import annotations

import ast
import inspect
import os
import select
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import numpy as np

import datasets
from datasets.pipeline.audit.verdict import Verdict
from datasets.pipeline.settings import BuildSettings
from datasets.privacy.residuals import Integers, Noise

SOURCE = "noise's source"
SEEDS = "seeds in the code"
FORKED = "noise after a fork"

_TIMEOUT = 10.0
"""Seconds to wait for the child process; it needs about a millisecond."""
_PURE_PACKAGE = "datasets.privacy."
"""Import contracts prove that these modules use no clock, file or operating system; numpy's generators they could use."""
_ALLOWED_NAMES = frozenset("np frombuffer bytearray os urandom uint64 discrete_gaussian random_words".split())
"""The only names that functions outside the privacy engine may use to draw noise."""
_GENERATORS = frozenset(
    "random randint randbytes default_rng RandomState Generator BitGenerator PCG64 Philox MT19937 SFC64 SeedSequence Random "
    "SystemRandom seed environ getenv".split()
)
_SUSPICIOUS_WORDS = ("seed", "noise", "silen", "chance", "random", "generator")
_SYNTHETIC = (
    "datasets/pipeline/events/synthetic.py",
    "cli/events.py",
    "datasets/pipeline/events/shapes/",
)
"""Synthetic events are made from a seed, so that they can be made again; no real release is built from them."""


def check_randomness(noise: Noise, root: Path | None = None) -> list[Verdict]:
    """The verdicts on where the noise comes from. `root` is the folder of `datasets`; `cli` is in the same folder."""
    suspicious = sorted({*suspicious_names(noise), *suspicious_settings(BuildSettings.model_fields)})
    seeds = sorted(find_seeds(root or Path(datasets.__file__).parent))
    return [
        Verdict("chance", SOURCE, len(suspicious), 0, 0, "; ".join(suspicious[:3])),
        Verdict("chance", SEEDS, len(seeds), 0, 0, "; ".join(seeds[:3])),
        Verdict(
            "chance",
            FORKED,
            share_alike_after_fork(noise),
            0,
            0.01,
            "numbers that two processes have in common",
        ),
    ]


def suspicious_settings(fields: dict[str, Any]) -> Iterator[str]:
    """Settings of the build whose names suggest that they influence the noise."""
    for name in fields:
        if any(word in name for word in _SUSPICIOUS_WORDS):
            yield f"the setting {name}"


def suspicious_names(noise: Callable[..., Any]) -> Iterator[str]:
    """Names that the functions behind `noise` use, although drawing noise does not need them."""
    seen: set[object] = set()
    waiting: list[object] = [noise]
    while waiting:
        made = waiting.pop()
        if made in seen:
            continue
        seen.add(made)
        if isinstance(made, partial) or not isinstance(made, FunctionType):
            yield f"{made!r} is no plain function"
            continue
        module = made.__module__
        names = set(_referenced_names(made.__code__))
        pure = module.startswith(_PURE_PACKAGE)
        for name in names & _GENERATORS if pure else names - _ALLOWED_NAMES:
            yield f"{module}.{made.__qualname__} uses {name}"
        if not pure and (made.__closure__ or made.__defaults__ or made.__kwdefaults__):
            yield f"{module}.{made.__qualname__} carries something from one draw to the next"
        found = (made.__globals__.get(name) for name in names)
        waiting += [each for each in found if isinstance(each, FunctionType) and each.__module__ != "numpy"]


def _referenced_names(code: CodeType) -> Iterator[str]:
    """Every global and attribute that a function, and the functions defined inside it, refer to."""
    yield from code.co_names
    for const in code.co_consts:
        if inspect.iscode(const):
            yield from _referenced_names(const)


def find_seeds(root: Path) -> Iterator[str]:
    """Places in the pipeline, the privacy engine and the command line that name a generator or a seed, or that pass a build
    its noise. `root` is the folder of the package `datasets`; the package `cli` is in the same folder."""
    for folder in (root / "pipeline", root / "privacy", root.parent / "cli"):
        for path in sorted(folder.rglob("*.py")):
            name = path.relative_to(root.parent).as_posix()
            if not name.startswith((*_SYNTHETIC, "datasets/pipeline/audit/")):
                yield from (f"{name} {found}" for found in _seeds_in_module(path))


def _seeds_in_module(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        yield from (f"names {word}" for word in _identifiers(node) if word in _GENERATORS)
        if isinstance(node, ast.Call) and _passes_noise(node):
            yield "gives a build its noise"


def _passes_noise(call: ast.Call) -> bool:
    return "build_release" in _identifiers(call.func) and any(k.arg in ("noise", None) for k in call.keywords)


def _identifiers(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=word) | ast.Attribute(attr=word) | ast.arg(arg=word) | ast.keyword(arg=str(word)):
            yield word
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            yield from (part for alias in names for part in alias.name.split("."))
            if isinstance(node, ast.ImportFrom) and node.module:
                yield from node.module.split(".")
        case _:
            return


def share_alike_after_fork(noise: Noise) -> float:
    """The share of equal numbers that two forks of this process draw; 1 if they draw none."""
    one, other = (_draw_in_child(noise) for _ in range(2))
    return float((one == other).mean()) if one.size and one.shape == other.shape else 1.0


def _draw_in_child(noise: Noise) -> Integers:
    """The noise that a fork of this process draws; empty if it fails or does not end, as with a repeating generator."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, noise(np.full(256, 2.0**30)).tobytes())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read() if select.select([pipe], [], [], _TIMEOUT)[0] else b""
    # the child has drawn its noise or never will; its process id is not used again before waitpid
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return np.frombuffer(text, dtype=np.int64)
