"""The parameters `measure` and `ratio`: which numbers are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from datasets.refusal import did_you_mean, nearest, printable
from datasets.release.format.codebook import Codebook
from datasets.release.query.vocabulary import MalformedQuestion, UnknownMeasure, listed_values


def parse_measures(parameters: Mapping[str, str], codebook: Codebook) -> tuple[str, ...]:
    """The measures that `measure` names, derived ones too. Raises UnknownMeasure."""
    names = listed_values(parameters, "measure")
    for name in names:
        _ensure_measure("measure", name, codebook.measure_names, codebook)
    return tuple(names)


def parse_ratios(parameters: Mapping[str, str], codebook: Codebook) -> tuple[tuple[str, str], ...]:
    """The pairs of measures, numerator and denominator, that `ratio` names. Raises MalformedQuestion, UnknownMeasure."""
    names = [measure.name for measure in codebook.measures]
    ratios = []
    for text in listed_values(parameters, "ratio"):
        parts = text.split("/")
        if len(parts) != 2 or parts[0] == parts[1]:
            raise MalformedQuestion(
                f"ratio={printable(text)} is not a ratio; write two different measures with / between, such as "
                f"ratio={names[-1]}/{names[0]}",
                parameter="ratio",
                value=text,
            )
        for name in parts:
            _ensure_measure("ratio", name, names, codebook)
        ratios.append((parts[0], parts[1]))
    return tuple(ratios)


def ensure_any_number(measures: Sequence[str], ratios: Sequence[object], codebook: Codebook) -> None:
    """Raises MalformedQuestion if a question asks for no number at all."""
    if not measures and not ratios:
        names = codebook.measure_names
        raise MalformedQuestion(
            f"parameter 'measure' is missing; {codebook.dataset} has {', '.join(names)}",
            parameter="measure",
            allowed=names,
        )


def _ensure_measure(parameter: str, name: str, names: Sequence[str], codebook: Codebook) -> None:
    if name not in names:
        raise UnknownMeasure(
            f"{parameter}={printable(name)} is not a measure of {codebook.dataset}; it has {', '.join(names)}."
            + did_you_mean(name, names),
            parameter=parameter,
            value=name,
            allowed=names,
            suggestions=nearest(name, names),
        )
