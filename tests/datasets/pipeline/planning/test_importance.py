"""Importance and edges in the plan of a release; declarations without them have the plans that they always had."""

from dataclasses import replace

import pytest

from datasets.catalogue import DATASETS
from datasets.period import Month
from datasets.pipeline.planning.budget import plan_budget
from tests.datasets.pipeline.small_dataset import JUNE, small_dataset

FIRST_VERSION = {
    ("moderation", "2026-02"): "a653bb56a37cbe347aff0b0c498db5872b4f7f7441cf2654728db016c274062f",
    ("moderation", "2026-06"): "f26e1f3c3f1c4cb1c8b6bb906a32c9f4bb33c702379c14c022437a790de0aca2",
    ("ads", "2026-02"): "ac6dde02f6a0dfd3cd52a61df48f44eced2ffc85a7960ebcc2ea04ef70c69a4c",
    ("ads", "2026-06"): "4090c2ef88b9c8df8842b692a5ad37da470e26a38728f19d22f0b9b6cb1b9117",
    ("recommendations", "2026-02"): "1361c0c149ba11765ac3405ed56438b9a46a4020a84ea4c71baef9761acf1b30",
    ("recommendations", "2026-06"): "d7433f5accef070c9a0f12c3f8b04f2289a095f7d971f55eca3020ff308b9479",
    ("harvest", "2026-02"): "b64ad4355a60ea2141030fb704edcbfa8a465c4790dca3c04d97fb2a236db7cd",
    ("harvest", "2026-06"): "9f008d01ab5532ef8af613887a7c4431a3942dce9d700be012b0cb1cff842428",
}
"""Hashes of the plans of version 1 of each dataset, as the ledger has them."""


@pytest.mark.parametrize(("name", "month"), FIRST_VERSION)
def test_a_declaration_without_importance_or_edges_has_the_plan_that_it_always_had(name, month):
    declared = {dataset.name: dataset for dataset in (*DATASETS, small_dataset())}[name]
    assert declared.version == 1, "remove the hashes of a dataset that has a new version"
    assert plan_budget(declared, Month.parse(month)).hash == FIRST_VERSION[name, month]


def with_publish(publish):
    small = small_dataset()
    crates, *others = small.measures
    return replace(small, measures=(replace(crates, publish=publish), *others))


def test_an_important_cuboid_gets_more_of_the_budget():
    publish = small_dataset().measures[0].publish
    plain, emphasised = (
        plan_budget(with_publish(each), JUNE) for each in (publish, publish.important("kind", "state"))
    )
    before, after = plain.measures["crates"], emphasised.measures["crates"]
    assert after.mean_variance((1, 1, 0)) < 0.6 * before.mean_variance((1, 1, 0))
    assert after.mean_variance((0, 0, 1)) > before.mean_variance((0, 0, 1))
    assert after.rho == before.rho
    assert after.workload == before.workload
    assert emphasised.hash != plain.hash
    assert emphasised.measures["gardeners"] == plain.measures["gardeners"]


def test_an_edge_leaves_more_of_the_budget_to_the_other_cuboids():
    publish = small_dataset().measures[0].publish
    plain, edged = (
        plan_budget(with_publish(each), JUNE).measures["crates"] for each in (publish, publish.edge("day"))
    )
    assert (1, 0, 1) in plain.workload
    assert (1, 0, 1) not in edged.workload
    assert (0, 0, 1) in edged.workload
    assert edged.mean_variance((1, 1, 0)) < plain.mean_variance((1, 1, 0))
