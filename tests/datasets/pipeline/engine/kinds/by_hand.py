"""Counting by hand: the same tables with dictionaries and fractions, unit by unit and row by row, as docs/privacy/counting.md says."""

from collections import Counter, defaultdict
from dataclasses import replace
from fractions import Fraction
from math import prod

import numpy as np

from datasets.pipeline.engine.kinds.wanted import (
    WantedActivity,
    WantedEvents,
    WantedMix,
    WantedOrganisations,
    WantedReach,
)
from tests.datasets.pipeline.engine.kinds.narrow_rows import half_order
from tests.datasets.pipeline.small_dataset import KIND, PLANT

KINDS = [KIND.index[plant.within or "unknown"] for plant in PLANT.codes]
SIZES = ((1, 3, 7), (1, 3), (1, 30))


def settled_units(rows):
    """The rows of each unit, each event once, in order of lots."""
    events = defaultdict(list)
    for row in rows:
        events[row.unit, row.lot].append(row)
    units = defaultdict(list)
    for (unit, _), repeats in events.items():
        units[unit].append(min(repeats, key=lambda r: (r.at, r.word, r.sold, r.cents, not r.is_person)))
    return [sorted(found, key=lambda r: half_order(r.lot)) for found in units.values()]


def cell_of(row, cuboid):
    plant = (0, KINDS[row.plant], row.plant)[cuboid[0]]
    sizes = [sizes[level] for sizes, level in zip(SIZES, cuboid, strict=True)]
    return (plant * sizes[1] + row.state * cuboid[1]) * sizes[2] + row.day * cuboid[2]


def cells_in(cuboid):
    return prod(sizes[level] for sizes, level in zip(SIZES, cuboid, strict=True))


def is_person(unit):
    return any(row.is_person for row in unit)


def stratum(wanted, unit):
    fitting = [s for s, most in enumerate(wanted.ends) if len(unit) <= most]
    return fitting[0] if fitting else len(wanted.ends) - 1


def events_by_hand(wanted, kind, units):
    tables = {c: np.zeros((len(wanted.ends) + 1, cells_in(c)), dtype=object) for c in kind.cuboids}
    for unit in units:
        counting = [row for row in unit if kind.where is None or row.sold]
        activity = len(wanted.ends)
        if is_person(unit):
            activity = stratum(wanted, unit)
            counting = counting[: kind.caps[activity]]
        for row in counting:
            weight = 1
            if kind.value is not None:
                middle = Fraction(kind.value.lower + kind.value.upper, 2)
                weight = min(max(row.cents, kind.value.lower), kind.value.upper) - middle
            for cuboid in kind.cuboids:
                tables[cuboid][activity, cell_of(row, cuboid)] += weight
    return tables


def mix_by_hand(wanted, kind, units):
    tables = {c: np.zeros(cells_in(c), dtype=object) for c in kind.cuboids}
    for unit in units:
        for number, row in enumerate(unit if is_person(unit) else []):
            part = Fraction(10_000, len(unit)).__floor__()
            for cuboid in kind.cuboids:
                tables[cuboid][cell_of(row, cuboid)] += part if number else 10_000 - part * (len(unit) - 1)
    return tables


def weight_by_hand(codes, cap):
    """The largest whole number whose square is at most 1000² · cap/codes, and at most 1000."""
    return next(w for w in range(1000, -1, -1) if w * w <= Fraction(1000 * 1000 * cap, codes))


def attribute(unit, code_of):
    """The code that most rows carry; of several, the one that the first row by lot with any of them carries."""
    times = Counter(map(code_of, unit))
    most = max(times.values())
    return next(code_of(row) for row in unit if times[code_of(row)] == most)


def leaf_by_hand(wanted, by, unit):
    plant = attribute(unit, lambda row: row.plant)
    state, day = attribute(unit, lambda row: row.state), attribute(unit, lambda row: row.day)
    person = replace(unit[0], plant=plant, state=state, day=day)
    return by.by_activity * stratum(wanted, unit) * cells_in(by.levels) + cell_of(person, by.levels)


def reach_by_hand(wanted, kind, units):
    leaves = cells_in(kind.by.levels) * (len(wanted.ends) if kind.by.by_activity else 1)
    weights = np.zeros((cells_in(kind.cells), leaves), dtype=object)
    persons, codes = np.zeros(leaves, dtype=object), np.zeros(cells_in(kind.cells), dtype=object)
    for unit in filter(is_person, units):
        leaf, found = leaf_by_hand(wanted, kind.by, unit), {cell_of(row, kind.cells) for row in unit}
        persons[leaf] += 1
        codes[len(found) - 1] += 1
        for cell in found:
            weights[cell, leaf] += weight_by_hand(len(found), kind.cap)
    return {"weights": weights, "persons": persons, "codes": codes}


def organisations_by_hand(wanted, kind, units):
    table = np.zeros(cells_in(kind.cells), dtype=object)
    for unit in units:
        for cell in set() if is_person(unit) else {cell_of(row, kind.cells) for row in unit}:
            table[cell] += 1
    return {"organisations": table}


def activity_by_hand(wanted, kind, units):
    persons, rows = (np.zeros(len(kind.ends), dtype=object) for _ in range(2))
    for unit in filter(is_person, units):
        seen = min(sum(kind.where is None or row.sold for row in unit), kind.ends[-1])
        if seen:
            band = next(band for band, end in enumerate(kind.ends) if seen <= end)
            persons[band] += 1
            rows[band] += seen
    return {"persons": persons, "rows": rows}


BY_HAND = {
    WantedEvents: events_by_hand,
    WantedMix: mix_by_hand,
    WantedReach: reach_by_hand,
    WantedOrganisations: organisations_by_hand,
    WantedActivity: activity_by_hand,
}


def tables_by_hand(wanted, rows):
    """For each wanted name and key: the table as nested lists."""
    units = settled_units(rows)
    return {
        kind.name: {key: table.tolist() for key, table in BY_HAND[type(kind)](wanted, kind, units).items()}
        for kind in wanted.kinds
    }
