"""Compares what the core suite has covered with the floor in `floor.txt`, and raises the floor; `CI=1 make test` runs it.

Lines and branches are counted together, in per cent, as coverage.py does (docs/decisions/0028-how-tests-are-divided.md).
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import coverage

FLOOR = Path(__file__).with_name("floor.txt")
MARGIN = 0.5
"""Per cent by which a raised floor is below the run. Which branches run depends a little on threads and on chance."""
LEAST_OF_A_FILE = 80.0


def main() -> None:
    """Print the total and what is wrong, raise the floor if the total is well above it; exit with 1 if anything is wrong."""
    total, files = measured()
    floor = float(FLOOR.read_text("utf-8"))
    wrong = list(complaints(total, files, floor))
    print(f"coverage: {total:.2f} %", *wrong, sep="\n")
    if (raised := raised_floor(total, floor)) > floor:
        FLOOR.write_text(f"{raised}\n", "utf-8")
        print(f"coverage: the floor in {FLOOR.name} was raised from {floor} to {raised} %; commit it")
    sys.exit(bool(wrong))


def measured() -> tuple[float, dict[str, float]]:
    """The covered part of all packages and of each file, in per cent, from the data of the last run."""
    data = coverage.Coverage()
    data.load()
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        total = data.json_report(outfile=report.name)
        files = json.loads(Path(report.name).read_text("utf-8"))["files"]
    return total, {name: each["summary"]["percent_covered"] for name, each in files.items()}


def complaints(total: float, files: Mapping[str, float], floor: float) -> Iterator[str]:
    """A sentence for each thing that is wrong: a total below the floor, or a file with too little."""
    if total < floor:
        yield f"coverage: {total:.2f} % is below the floor of {floor} %: test what was added, or delete what nothing uses"
    for name, covered in sorted(files.items()):
        if covered < LEAST_OF_A_FILE:
            yield f"coverage: {covered:.1f} % of {name}, and each file needs {LEAST_OF_A_FILE:g} %"


def raised_floor(total: float, floor: float) -> float:
    """The floor after a run: `MARGIN` below its total, cut to one decimal, if that is higher than before."""
    return max(floor, math.floor((total - MARGIN) * 10) / 10)


if __name__ == "__main__":
    main()
