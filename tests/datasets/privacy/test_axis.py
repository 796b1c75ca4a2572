"""Axes: trees of levels, and the sums, shares and means along them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.catalogue import DATASETS
from datasets.definition import DaysOfMonth
from datasets.period import Month
from datasets.privacy.axis import Axis, axes_of, reshape_along
from tests.datasets.privacy import dense
from tests.datasets.privacy.schemas import axes_with_uneven_trees, often

KEYWORD = Axis("keyword", ((3,), (2, 1, 4)))


def test_a_level_has_as_many_codes_as_its_parents_have_children():
    assert [KEYWORD.size(level) for level in range(KEYWORD.depth + 1)] == [1, 3, 7]


def test_a_code_is_among_its_own_siblings():
    assert KEYWORD.siblings(0).tolist() == [1]
    assert KEYWORD.siblings(1).tolist() == [3, 3, 3]
    assert KEYWORD.siblings(2).tolist() == [2, 2, 1, 4, 4, 4, 4]


def test_ancestors_are_the_positions_of_coarser_codes():
    assert KEYWORD.ancestors(2, 2).tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert KEYWORD.ancestors(2, 1).tolist() == [0, 0, 1, 2, 2, 2, 2]
    assert KEYWORD.ancestors(2, 0).tolist() == [0] * 7


@pytest.mark.parametrize(
    "fans",
    [
        ((1,),),
        ((0,),),
        ((),),
        ((2, 2),),
        ((2,), (3,)),
        ((2,), (3, 0)),
        ((2,), (1, 1)),
        ((2,), (3, -1)),
        ((2,), (2, 2), (1,)),
    ],
)
def test_a_tree_that_does_not_fit_together_or_never_branches_is_refused(fans):
    with pytest.raises(ValueError, match="axis 'odd': level"):
        Axis("odd", fans)


def test_a_vector_is_reshaped_along_one_dimension():
    assert reshape_along(np.arange(3), 4, 2).shape == (1, 1, 3, 1)


@given(axes_with_uneven_trees(most_axes=2), st.data())
@often
def test_sums_shares_and_means_are_those_of_full_matrices(axes, data):
    at = data.draw(st.integers(0, len(axes) - 1))
    axis = axes[at]
    fine = data.draw(st.integers(1, axis.depth))
    coarse = data.draw(st.integers(0, fine))
    table = np.arange(1.0, 1 + 5 * axis.size(fine) * 2).reshape(5, axis.size(fine), 2)
    short = np.arange(1.0, 1 + 5 * axis.size(fine - 1) * 2).reshape(5, axis.size(fine - 1), 2)

    def times(matrix, table):
        return np.einsum("fc,acb->afb", matrix, table)

    adding = dense.adding([axis], (fine,), (coarse,))
    np.testing.assert_allclose(axis.add_up(table, 1, fine, coarse), times(adding, table), rtol=1e-12)
    np.testing.assert_allclose(
        axis.centre(table, 1, fine), times(dense.centring(axis, fine), table), atol=1e-10
    )
    np.testing.assert_allclose(
        axis.spread(short, 1, fine - 1), times(dense.spread_level(axis, fine), short), rtol=1e-12
    )
    np.testing.assert_array_equal(
        axis.repeat(short, 1, fine - 1), times(dense.add_level(axis, fine).T, short)
    )
    np.testing.assert_array_equal(axis.ancestors(fine, coarse), adding.argmax(axis=0))


def test_a_total_is_never_centred():
    assert KEYWORD.centre(np.ones((1, 2)), 0, 0).tolist() == [[1, 1]]


def test_integers_stay_integers_when_added_up():
    many = np.full(7, (1 << 53) + 1)
    assert KEYWORD.add_up(many, 0, 2, 1).tolist() == [2 * ((1 << 53) + 1), (1 << 53) + 1, 4 * ((1 << 53) + 1)]


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
@pytest.mark.parametrize("month", [Month(2026, 2), Month(2028, 2), Month(2026, 6), Month(2026, 7)], ids=str)
def test_the_axes_of_a_dataset_are_its_dimensions_and_their_code_lists(dataset, month):
    axes = axes_of(dataset, month)
    assert [axis.name for axis in axes] == [dimension.name for dimension in dataset.dimensions]
    for axis, dimension in zip(axes, dataset.dimensions, strict=True):
        lists = [level.codes.in_month(month) for level in dimension.levels]
        assert [axis.size(level + 1) for level in range(axis.depth)] == [len(codes) for codes in lists]
        if isinstance(dimension.codes, DaysOfMonth):
            assert axis.fans == ((len(month.days),),)
        for level, codes in enumerate(lists[1:], start=2):
            coarser = list(codes.within)
            parents = [coarser[position].code for position in axis.ancestors(level, level - 1)]
            assert parents == [code.within for code in codes]
