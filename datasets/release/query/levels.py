"""The parameters that name levels: `group_by` and `level`; and the one refusal of a level that does not exist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from datasets.refusal import did_you_mean, nearest, printable
from datasets.release.format.codebook import Codebook
from datasets.release.query.vocabulary import PERIOD, MalformedQuestion, UnknownLevel, listed_values

MAX_GROUPS = 4


def parse_group_by(parameters: Mapping[str, str], codebook: Codebook) -> tuple[str, ...]:
    """The levels to group by, without `period`, at the depth that `level` names.

    Raises UnknownLevel; MalformedQuestion for two levels of one dimension, or too many levels.
    """
    names = [name for name in listed_values(parameters, "group_by") if name != PERIOD]
    for name in names:
        _ensure_groupable(name, codebook)
    names = _at_named_depth(parameters, names, codebook)
    text = ",".join(names)
    if len({codebook.places[name][0] for name in names}) < len(names):
        raise MalformedQuestion(
            f"group_by={text} names two levels of one dimension; group by the finer one, whose codes say "
            "where they belong in the codebook",
            parameter="group_by",
            value=text,
        )
    if len(names) > MAX_GROUPS:
        raise MalformedQuestion(
            f"group_by names {len(names)} levels; at most {MAX_GROUPS} can be grouped by at once",
            parameter="group_by",
            value=text,
        )
    return tuple(names)


def ensure_level(
    name: str, codebook: Codebook, *, parameter: str, value: str, allowed: Sequence[str], example: str = ""
) -> None:
    """Raises UnknownLevel if `name`, which stands in the `value` of a parameter, is none of the levels `allowed` there."""
    if name in allowed:
        return
    advice = f"; write one such as {parameter}={example}" if example else ""
    raise UnknownLevel(
        f"{parameter}={printable(value)} names no level of {codebook.dataset}{advice}.{did_you_mean(name, allowed)}",
        parameter=parameter,
        value=value,
        allowed=allowed,
        suggestions=nearest(name, allowed),
    )


def _ensure_groupable(name: str, codebook: Codebook) -> None:
    allowed = (*codebook.level_names, PERIOD)
    if name in codebook.levels and name not in allowed:
        raise UnknownLevel(
            f"group_by={name} is asked as freq={name}; every row then says its {name} in the column 'period'",
            parameter="group_by",
            value=name,
            allowed=allowed,
            suggestions=(PERIOD,),
        )
    ensure_level(name, codebook, parameter="group_by", value=name, allowed=allowed)


def _at_named_depth(parameters: Mapping[str, str], groups: Sequence[str], codebook: Codebook) -> list[str]:
    """The groups, of which those of nested dimensions are replaced by the level of theirs that `level` names."""
    names = {*codebook.level_names}
    nested = [
        lv.name for d in codebook.dimensions if len(d.levels) > 1 for lv in d.levels if lv.name in names
    ]
    replaced = list(groups)
    for level in listed_values(parameters, "level"):
        at = _position_of_same_dimension(level, replaced, codebook) if level in nested else None
        if at is None:
            raise UnknownLevel(
                f"level={printable(level)} is not a level of a nested dimension that is grouped by; write, for example, "
                + (f"group_by={nested[0]}&level={nested[-1]}" if nested else "group_by without level"),
                parameter="level",
                value=level,
                allowed=nested,
                suggestions=nearest(level, nested),
            )
        replaced[at] = level
    return replaced


def _position_of_same_dimension(level: str, groups: Sequence[str], codebook: Codebook) -> int | None:
    dimension = codebook.places[level][0]
    return next((at for at, name in enumerate(groups) if codebook.places[name][0] == dimension), None)
