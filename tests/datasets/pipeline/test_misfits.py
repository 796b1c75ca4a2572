"""A build refuses a month in which no row fits, or too few; the refusal costs nothing, shows nothing and says what is wrong."""

import hashlib
import json
from dataclasses import replace
from fractions import Fraction

import pyarrow.parquet as pq
import pytest

from datasets.definition.rules import DefinitionError
from datasets.pipeline.state.context import RESERVING
from datasets.pipeline.state.misfits import BadAcceptance, NoRowFits, TooManyMisfits
from datasets.pipeline.state.signing import ReleaseSigner
from tests.datasets.pipeline.small_deployment import (
    HARVEST,
    JUNE,
    SmallDeployment,
    concatenate,
    crates,
    no_noise,
    read_cells,
)
from tests.datasets.release.small_release import sign, verify

REASON = "the turnips of one shop are no fruit"


def turnips(rows):
    return {**crates(rows, rows, first=900_000), "plant": ["turnip"] * rows}


@pytest.fixture
def deployment(tmp_path):
    return SmallDeployment(tmp_path / "deployment")


def everything_public(deployment):
    root = deployment.folder / "releases"
    return {name: hashlib.sha256((root / name).read_bytes()).digest() for name in deployment.published_files}


def test_a_month_in_which_no_row_fits_is_refused_even_if_misfits_are_accepted(deployment):
    deployment.put(turnips(50))
    for accepted in (None, REASON):
        with pytest.raises(
            NoRowFits, match=r"none of the 50 rows .* \(unknown code: plant: 50\).*nothing was"
        ):
            deployment.build(accept_misfits=accepted)
    assert (deployment.states, deployment.published_files) == ([], [])
    assert RESERVING not in deployment.steps


def test_more_misfits_than_declared_are_refused_and_exactly_as_many_are_built(deployment):
    deployment.put(concatenate(crates(95, 95), turnips(6)))
    with pytest.raises(TooManyMisfits, match=r"6 of the 101 rows .* more than the 5 % .*--accept-misfits"):
        deployment.build()
    deployment.put(concatenate(crates(95, 95), turnips(5)))
    assert deployment.build().name == "2026-06.1"


def test_repeated_events_are_misfits_too_since_a_wrong_id_loses_most_of_a_month(deployment):
    with pytest.raises(TooManyMisfits, match="duplicate id: event_id: 90"):
        deployment.put({**crates(100, 10), "event_id": ["the same"] * 100}).build()


def test_a_dataset_declares_its_own_share(tmp_path):
    tolerant = replace(HARVEST, max_misfits=Fraction(1, 2))
    events = concatenate(crates(50, 50), turnips(50))
    assert SmallDeployment(tmp_path / "one", dataset=tolerant).put(events).build().name == "2026-06.1"
    with pytest.raises(DefinitionError, match="must be a share of rows below 1"):
        replace(HARVEST, max_misfits=Fraction(1))


def test_a_refusal_names_no_identifier_of_a_row_and_is_one_line(deployment):
    with pytest.raises(TooManyMisfits) as caught:
        deployment.put(concatenate(crates(10, 10), turnips(10))).build()
    assert "\n" not in str(caught.value)
    assert not {word.strip("(),.:;") for word in str(caught.value).split()} & {*turnips(10)["unit_id"]}


def test_nobody_can_distinguish_a_refused_build_from_none(deployment):
    deployment.put(concatenate(crates(100, 60))).build()
    public, entries = everything_public(deployment), deployment.ledger.entries()
    deployment.put(turnips(50))
    with pytest.raises(NoRowFits):
        deployment.build(correction="counted again")
    assert (everything_public(deployment), deployment.ledger.entries()) == (public, entries)


def test_after_a_refusal_the_build_goes_on_from_its_counts_once_misfits_are_accepted(deployment):
    deployment.put(concatenate(crates(50, 50), turnips(50)))
    with pytest.raises(TooManyMisfits):
        deployment.build()
    deployment.steps.clear()
    folder = deployment.build(accept_misfits=REASON, noise=no_noise)
    assert "bounding and counting" not in deployment.steps
    assert read_cells(folder).to_pylist()[0]["crates"] == 50


def test_an_acceptance_is_in_the_audit_log_and_the_private_report_and_nowhere_in_public(deployment):
    acts = []
    context = replace(deployment.context, signer=ReleaseSigner(sign, verify, lambda *act: acts.append(act)))
    deployment.context = context
    deployment.put(concatenate(crates(50, 50), turnips(50))).build(accept_misfits=f" {REASON} ")
    assert acts == [("release.misfits-accepted", "harvest/2026-06", REASON)]
    report = context.quarantine_folder(HARVEST, JUNE) / "misfits-accepted.json"
    assert json.loads(report.read_text()) == {"read": 100, "kept": 50, "reason": REASON}
    public = [deployment.folder / "releases" / name for name in deployment.published_files]
    assert public
    assert not any(b"turnips" in path.read_bytes() for path in public)
    assert [entry.reason for entry in deployment.ledger.entries()] == ["", ""]


def test_an_acceptance_is_recorded_whether_or_not_there_are_misfits(deployment):
    """Otherwise the audit log, which more people read than the private folder, would say whether there are any."""
    acts = []
    deployment.context = replace(
        deployment.context, signer=ReleaseSigner(sign, verify, lambda *act: acts.append(act))
    )
    deployment.put(crates(50, 50)).build(accept_misfits=REASON)
    assert len(acts) == 1


@pytest.mark.parametrize("reason", ["", "   ", "ok", "a reason\nof two lines"])
def test_an_acceptance_needs_a_reason(deployment, reason):
    with pytest.raises(BadAcceptance, match="a sentence of 10 to 1000 printable"):
        deployment.put(crates(50, 50)).build(accept_misfits=reason)
    assert deployment.states == []


def test_a_month_of_files_without_rows_is_built_only_if_the_operator_says_that_it_was_empty(deployment):
    deployment.put({name: values[:1] for name, values in crates(1, 1).items()})
    empty = deployment.folder / "events/harvest/2026-06/part-00000.parquet"
    pq.write_table(pq.read_table(empty).slice(0, 0), empty)
    with pytest.raises(TooManyMisfits, match="have no row.*if nothing happened in it"):
        deployment.build()
    folder = deployment.build(accept_misfits="no crate was sold in June", noise=no_noise)
    assert {row["crates"] for row in read_cells(folder).to_pylist()} == {0}
