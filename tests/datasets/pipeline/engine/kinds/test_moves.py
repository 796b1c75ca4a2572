"""How far one person, and one event of an organisation, moves each table: never beyond the sensitivity that noise is made for."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.pipeline.engine.kinds.wanted import (
    WantedActivity,
    WantedEvents,
    WantedMix,
    WantedOrganisations,
    WantedReach,
)
from datasets.privacy.reach.family import Family
from tests.datasets.pipeline.engine.kinds.narrow_rows import ENDS, WANTED, Row, counted, inputs, rows

PERSON, ORGANISATION = 100, 101
crowds = inputs
persons = st.lists(rows, min_size=1, max_size=14).map(
    lambda found: [replace(row, unit=PERSON, is_person=True) for row in found]
)


def moves_of(before, after):
    """By how much each table has changed."""
    return {
        name: {key: table - before.tables[name][key] for key, table in tables.items()}
        for name, tables in after.tables.items()
    }


def squared(move):
    return int((move.astype(object) ** 2).sum())


def ensure_events_move(kind, moves, stratum):
    for move in moves.values():
        elsewhere = np.delete(move, stratum, axis=0)
        assert not elsewhere.any(), "only one stratum moves, and never the organisations"
        most = kind.caps[stratum] * (kind.value.half_range if kind.value else 1)
        assert np.abs(move).sum() <= most
        assert squared(move) <= most**2


def ensure_reach_moves(kind, moves):
    cells = len(moves["weights"])
    assert squared(moves["persons"]) == squared(moves["codes"]) == 1
    leaf = moves["persons"].argmax()
    assert not np.delete(moves["weights"], leaf, axis=1).any(), "only the person's own leaf moves"
    if cells > 1:
        q = 2 * cells * moves["weights"] - min(2 * kind.cap, cells) * 1000 * moves["persons"]
        assert squared(q) <= Family(kind.name, cells, kind.cap, ((),)).squared_sensitivity
    assert squared(moves["weights"]) <= 1000**2 * kind.cap


def ensure_activity_moves(kind, moves):
    assert squared(moves["persons"]) <= 1
    firsts, ends = np.array((1, *np.array(kind.ends[:-1]) + 1)), np.array(kind.ends)
    assert np.array_equal(moves["persons"] != 0, moves["rows"] != 0), "persons and rows move in one band"
    twice_offset = 2 * moves["rows"] - (firsts + ends) * moves["persons"]
    assert (np.abs(twice_offset) <= ends - firsts).all()


@settings(max_examples=50)
@given(crowds, persons)
def test_a_person_who_comes_moves_every_table_by_at_most_its_sensitivity(crowd, person):
    moved = moves_of(counted(crowd), counted([*crowd, *person]))
    rows_of = len({row.lot for row in person})
    stratum = next((s for s, most in enumerate(ENDS) if rows_of <= most), len(ENDS) - 1)
    for kind in WANTED.kinds:
        match kind:
            case WantedEvents():
                ensure_events_move(kind, moved[kind.name], stratum)
            case WantedMix():
                assert all(np.abs(move).sum() == 10_000 for move in moved[kind.name].values())
            case WantedReach():
                ensure_reach_moves(kind, moved[kind.name])
            case WantedOrganisations():
                assert not moved[kind.name]["organisations"].any()
            case WantedActivity():
                ensure_activity_moves(kind, moved[kind.name])


firms = st.lists(rows, max_size=12).map(
    lambda found: [replace(row, unit=ORGANISATION, is_person=False) for row in found]
)


@settings(max_examples=50)
@given(crowds, firms, st.lists(rows, min_size=1, max_size=3))
def test_an_event_of_an_organisation_moves_one_cell_of_its_tables_and_no_person(crowd, firm, event):
    sent = [replace(row, unit=ORGANISATION, lot=1000, is_person=False) for row in event]
    moved = moves_of(counted([*crowd, *firm]), counted([*crowd, *firm, *sent]))
    for kind in WANTED.kinds:
        for move in moved[kind.name].values():
            match kind:
                case WantedEvents():
                    assert not move[:-1].any(), "no stratum of persons moves"
                    assert np.count_nonzero(move) <= 1
                    assert np.abs(move).sum() <= (kind.value.half_range if kind.value else 1)
                case WantedOrganisations():
                    assert np.abs(move).sum() <= 1
                case _:
                    assert not move.any()


def strata_with_rows(number):
    """The numbers of rows by stratum, organisations last, of one person with so many rows."""
    found = counted([Row(PERSON, lot, plant=lot % 7) for lot in range(number)])
    return found.tables["crates by kind"][0, 0, 0][:, 0].tolist(), found.tables["crates"]


@pytest.mark.parametrize(
    ("number", "by_stratum"),
    [
        (1, [1, 0, 0, 0]), (2, [0, 2, 0, 0]), (3, [0, 2, 0, 0]), (4, [0, 0, 4, 0]), (5, [0, 0, 5, 0]),
        (6, [0, 0, 5, 0]), (7, [0, 0, 5, 0]), (600, [0, 0, 5, 0]),
    ],
)  # fmt: skip
def test_a_person_at_the_end_of_a_stratum_is_in_it_and_one_with_a_row_more_in_the_next(number, by_stratum):
    """The strata end at 1, 3 and 6 rows; the caps of this measure are 1, 2 and 5."""
    counts, crates = strata_with_rows(number)
    assert counts == by_stratum
    at = next((s for s, most in enumerate(ENDS) if number <= most), len(ENDS) - 1)
    for table in crates.values():
        assert table.sum(axis=1).tolist() == [min(number, ENDS[-1]) if s == at else 0 for s in range(4)]


def test_a_measure_of_flagged_rows_uses_the_stratum_of_all_rows_and_a_cap_of_its_own():
    """Five rows: the third stratum. The first by lot has no flag; of the others, the first three count."""
    found = [Row(PERSON, lot, state=lot % 3, sold=lot != 0) for lot in (2, 0, 1, 3, 4)]
    (sales,) = (t for key, t in counted(found).tables["sales"].items() if key == (0, 1, 0))
    by_lot = sorted((row for row in found if row.sold), key=lambda row: (row.lot % 3, row.lot // 3))
    expected = np.bincount([row.state for row in by_lot[:3]], minlength=3)
    assert sales.tolist() == [[0] * 3, [0] * 3, expected.tolist(), [0] * 3]


def test_repeats_are_settled_before_rows_are_numbered():
    """Three rows of one event are one row: the first stratum."""
    found = [Row(PERSON, 5, at=at, plant=at) for at in (2, 1, 3)]
    table = counted(found).tables["crates by kind"][1, 0, 0]
    assert table.tolist() == [[1, 0, 0], [0] * 3, [0] * 3, [0] * 3]


def test_the_first_rows_by_lot_count():
    found = [Row(PERSON, 3 * n, state=n // 6, at=9 - n) for n in range(9)]
    (crates,) = (t.sum(axis=1) for t in [counted(found).tables["prices"][0, 1, 0]])
    assert crates[2] == 6 * (0 - ((1 << 31) - 8) // 2)
    by_state = counted(found).tables["prices"][0, 1, 0][2]
    assert by_state[1:].tolist() == [0, 0], "the rows of state 1 come after the first six"
