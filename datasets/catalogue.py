"""The catalogue of datasets. A new dataset is one file and one line here."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from datasets.ads import ads
from datasets.definition import CodeList, Dataset, DefinitionError
from datasets.moderation import moderation
from datasets.privacy.ledger import REGULAR_MONTH
from datasets.recommendations import recommendations
from datasets.refusal import Refusal, did_you_mean, nearest, printable

DATASETS: tuple[Dataset, ...] = (moderation, ads, recommendations)


def ensure_regular_month(datasets: Iterable[Dataset], limit: Fraction) -> None:
    """Raises DefinitionError if a month of all datasets, without corrections, costs a person more than `limit` rho.

    The datasets add up, since one human may be in all of them, whatever the role (docs/privacy/ledger.md#caps).
    """
    costs = [(dataset.name, dataset.rho_of_release) for dataset in datasets]
    total = sum((rho for _, rho in costs), Fraction(0))
    if total > limit:
        listed = ", ".join(f"{name} {float(rho):g}" for name, rho in costs)
        raise DefinitionError(
            f"a month of all datasets costs a person {float(total):g} rho ({listed}), and {float(limit):g} are allowed: "
            "give a dataset less"
        )


ensure_regular_month(DATASETS, REGULAR_MONTH)


class UnknownDataset(Refusal):
    """A dataset that does not exist."""


class UnknownCodeList(Refusal):
    """A code list that does not exist."""


def find_dataset(name: str) -> Dataset:
    """The dataset of this name. Raises UnknownDataset, which names all that exist."""
    by_name = {dataset.name: dataset for dataset in DATASETS}
    if name not in by_name:
        raise UnknownDataset(
            f"dataset {printable(name)!r} does not exist; there are {', '.join(by_name)}.{did_you_mean(name, by_name)}",
            parameter="dataset",
            value=name,
            allowed=by_name,
            suggestions=nearest(name, by_name),
        )
    return by_name[name]


def code_lists() -> dict[str, CodeList]:
    """Every code list that a dataset uses, by name, but for the days, which are in the codebook of each release."""
    used = (level.codes for dataset in DATASETS for level in dataset.levels)
    return {codes.name: codes for codes in used if isinstance(codes, CodeList)}


def find_code_list(name: str) -> CodeList:
    """The code list of this name. Raises UnknownCodeList, which names all that exist."""
    lists = code_lists()
    if name not in lists:
        raise UnknownCodeList(
            f"code list {printable(name)!r} does not exist.{did_you_mean(name, lists)}",
            parameter="name",
            value=name,
            allowed=lists,
            suggestions=nearest(name, lists),
        )
    return lists[name]
