"""`python -m bench [planner|accuracy|opendp|build|question|layers|serving ...]`; without arguments, all benchmarks."""

from __future__ import annotations

import sys

from bench import accuracy, build, layers, opendp, planner, question, serving
from bench.figures import show

BENCHMARKS = {
    "planner": ("Planning without data", planner.figures),
    "accuracy": ("Error per cell at equal rho", accuracy.figures),
    "opendp": ("A release of all marginals of up to two of six attributes, 10^6 rows", opendp.figures),
    "build": ("Building a release of moderation events", build.figures),
    "question": ("Answering one question, in process", question.figures),
    "layers": ("CPU time that each layer adds to a request", layers.figures),
    "serving": ("Answering over HTTP", serving.figures),
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    for name in names or BENCHMARKS:
        title, figures = BENCHMARKS[name]
        show(title, figures())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
