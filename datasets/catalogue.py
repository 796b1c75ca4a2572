"""The catalogue of datasets. A new dataset is one file and one line here."""

from __future__ import annotations

from datasets.ads import ads
from datasets.definition import CodeList, Dataset
from datasets.moderation import moderation
from datasets.recommendations import recommendations
from datasets.refusal import Refusal, did_you_mean, nearest, printable

DATASETS: tuple[Dataset, ...] = (moderation, ads, recommendations)


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
