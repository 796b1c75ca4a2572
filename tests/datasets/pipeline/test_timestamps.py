"""When things happened, as it is published: in an order that nothing shares, and saying nothing of how long a build took."""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from datasets.pipeline.operations import withdrawal
from datasets.pipeline.operations.rollback import roll_back
from datasets.pipeline.operations.verification import ensure_releases
from datasets.pipeline.operations.withdrawal import withdraw
from datasets.pipeline.state.context import BuildContext
from datasets.pipeline.state.failpoints import armed_failpoints
from datasets.release.format import layout
from datasets.release.format.timestamps import (
    CLOCKS_DIFFER,
    action_timestamp,
    release_timestamp,
    stable_as_of,
)
from datasets.release.store.history import ReleaseHistory
from tests.datasets.pipeline.interruptions import PLENTY
from tests.datasets.pipeline.small_dataset import JUNE, tiny_dataset
from tests.datasets.pipeline.small_deployment import SmallDeployment, crates
from tests.datasets.release.small_release import verify

SEEDS = tiny_dataset()
REASON = "Crates were counted twice."
HOUR = datetime(2026, 7, 1, 14, tzinfo=UTC)


class Clock(SmallDeployment):
    """A deployment whose clock stands where it is put, and goes on by the second whenever it is looked at."""

    now, lasts = HOUR, timedelta(0)

    def make_context(self, on_step):
        return BuildContext(
            self.folder / "releases", self.folder / "private", self.ledger, super().make_context(on_step).signer,
            now=self.look, on_step=on_step,
        )  # fmt: skip

    def look(self):
        self.now += self.lasts
        return self.now


def clock(folder, now, lasts):
    made = Clock(folder, PLENTY, SEEDS).put(crates(30, 10))
    made.now, made.lasts = now, lasts
    return made


def published(deployment):
    """Every moment that anybody is told, with what it is of."""
    root = deployment.folder / "releases"
    manifests = [json.loads(path.read_text())["published_at"] for path in root.rglob("manifest.json")]
    return manifests, [entry.time for entry in deployment.ledger.entries()]


def test_a_build_that_takes_long_is_published_with_the_moments_of_one_that_does_not(tmp_path):
    quick = clock(tmp_path / "quick", HOUR + timedelta(seconds=3), timedelta(milliseconds=1))
    slow = clock(tmp_path / "slow", HOUR + timedelta(minutes=2), timedelta(minutes=11, microseconds=7))
    for deployment in (quick, slow):
        deployment.build()
    assert published(quick) == published(slow) == ([HOUR.isoformat()], ["2026-07-01", "2026-07-01"])


def test_a_build_that_came_to_nothing_says_its_day_only(tmp_path):
    deployment = clock(tmp_path / "deployment", HOUR, timedelta(minutes=3))

    def fail(step):
        if step == "publishing":
            raise RuntimeError

    with pytest.raises(RuntimeError):
        deployment.build(on_step=fail)
    assert [(entry.state, entry.time) for entry in deployment.ledger.entries()] == [
        ("reserved", "2026-07-01"),
        ("void", "2026-07-01"),
    ]


def test_what_happens_within_one_second_keeps_its_order(tmp_path):
    """Releases, rollbacks and withdrawals by turns, while the clock stands still."""
    deployment = clock(tmp_path / "deployment", HOUR + timedelta(minutes=30), timedelta(0))
    root = deployment.folder / "releases"

    def current():
        archive = ReleaseHistory(root, verify)
        found = archive.current(SEEDS.name)["2026-06"]
        moments = archive.timestamps(SEEDS.name)
        assert len(set(moments)) == len(moments)
        assert archive.current_at(SEEDS.name, moments[-1]) == {"2026-06": found}
        assert layout.pointer_file(root, SEEDS.name, JUNE).read_text().strip() == found
        return found

    for number in (1, 2):
        deployment.build(correction="counted again")
        assert current() == f"2026-06.{number}"
    for number in (3, 4):
        roll_back(deployment.context, SEEDS, JUNE, "2026-06.1", REASON)
        assert current() == "2026-06.1"
        deployment.build(correction="counted again")
        assert current() == f"2026-06.{number}"
    withdraw(root, deployment.ledger, SEEDS, "2026-06.4", REASON, deployment.context.signer, deployment.now)
    assert current() == "2026-06.1", "which was gone back to before it"
    assert ensure_releases(root, verify, deployment.ledger) == 4


def test_nothing_is_published_into_a_time_of_which_an_answer_was_given():
    now = HOUR + timedelta(minutes=59, seconds=59, microseconds=999_999)
    for earlier in ((), (HOUR - timedelta(days=1),), (HOUR,), (HOUR + timedelta(minutes=30),)):
        for next_ in (release_timestamp(earlier, now), action_timestamp(earlier, now)):
            assert next_ > stable_as_of(earlier, now)
            assert next_.microsecond == 0


@pytest.mark.parametrize("ahead", [-CLOCKS_DIFFER, timedelta(0), CLOCKS_DIFFER])
@pytest.mark.parametrize("waits", [timedelta(minutes=9), timedelta(minutes=11), timedelta(hours=3)])
@pytest.mark.parametrize("place", ["cells written", "manifest written", "ledger replaced"])
def test_a_release_appears_in_no_time_of_which_a_reader_has_answered(tmp_path, ahead, waits, place):
    """The builder is stopped just before the full hour; the reader's clock is not the builder's."""
    deployment = clock(tmp_path / "deployment", HOUR + timedelta(minutes=59), timedelta(0))
    told, waited = [], []

    def act(at):
        if at == place and not waited:
            waited.append(at)
            deployment.now += waits
        if at == "release flushed":
            told.append(stable_as_of((), deployment.now + ahead))

    with armed_failpoints(act):
        folder = deployment.build()
    assert told[0] < published_at(folder) <= deployment.now
    assert (published_at(folder).minute, published_at(folder).second) == (0, 0)
    assert ensure_releases(deployment.folder / "releases", verify, deployment.ledger) == 1


def test_a_withdrawal_and_a_rollback_are_of_the_time_in_which_their_documents_appear(tmp_path):
    """Putting them on record takes long, and a reader's clock is ahead."""
    deployment = clock(tmp_path / "deployment", HOUR, timedelta(0))
    root = deployment.folder / "releases"
    for _ in range(2):
        deployment.build(correction="counted again")
    deployment.now += timedelta(minutes=59)

    def record(*_):
        deployment.now += timedelta(hours=2)
        wall[0] += timedelta(hours=2)

    wall = [HOUR]
    slow = replace(deployment.context, signer=replace(deployment.context.signer, record=record))
    roll_back(slow, SEEDS, JUNE, "2026-06.1", REASON)
    (rolled,) = ReleaseHistory(root, verify).rollbacks(SEEDS.name)
    assert datetime.fromisoformat(rolled.rolled_back_at) > stable_as_of((), deployment.now + CLOCKS_DIFFER)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(withdrawal, "datetime", type("Wall", (), {"now": lambda _: wall[0]}))
        withdraw(root, deployment.ledger, SEEDS, "2026-06.1", REASON, slow.signer, deployment.now)
    (erratum,) = ReleaseHistory(root, verify).errata(SEEDS.name)
    assert datetime.fromisoformat(erratum.withdrawn_at) > stable_as_of((), deployment.now + CLOCKS_DIFFER)


def published_at(folder):
    return datetime.fromisoformat(json.loads((folder / "manifest.json").read_text())["published_at"])


def test_a_release_is_later_than_one_whose_cells_were_damaged_since(tmp_path):
    deployment = clock(tmp_path / "deployment", HOUR + timedelta(minutes=1), timedelta(0))
    first = deployment.build()
    (first / "cells.parquet").write_bytes(b"")
    assert published_at(first) == HOUR
    assert published_at(deployment.build(correction="its cells were lost")) == HOUR + timedelta(seconds=1)


@pytest.mark.parametrize("lost", ["manifest", "erratum", "rollback"])
def test_a_release_is_later_than_what_cannot_be_verified_any_more(tmp_path, lost):
    """It is of its second then: that of its hour may be earlier than what was lost."""
    deployment = clock(tmp_path / "deployment", HOUR + timedelta(minutes=10), timedelta(0))
    root = deployment.folder / "releases"
    first = deployment.build()
    second = deployment.build(correction="counted again")
    deployment.now += timedelta(minutes=10)
    if lost == "manifest":
        path = second / "manifest.json"
    if lost == "erratum":
        withdraw(
            root, deployment.ledger, SEEDS, "2026-06.2", REASON, deployment.context.signer, deployment.now
        )
        path = layout.erratum_file(root, SEEDS.name, "2026-06.2")
    if lost == "rollback":
        roll_back(deployment.context, SEEDS, JUNE, "2026-06.1", REASON)
        path = layout.rollback_file(root, SEEDS.name, JUNE, 1)
    path.write_bytes(path.read_bytes()[:-9])
    deployment.now += timedelta(minutes=10)
    assert published_at(first) == HOUR
    assert published_at(deployment.build(correction="counted once more")) == HOUR + timedelta(minutes=30)


def test_the_time_of_change_of_a_file_is_no_moment(tmp_path):
    deployment = clock(tmp_path / "deployment", HOUR, timedelta(0))
    root = deployment.folder / "releases"
    deployment.build()
    path = layout.erratum_file(root, SEEDS.name, "2026-06.1")
    path.write_bytes(b"who knows")
    far = datetime(2099, 1, 1, tzinfo=UTC).timestamp()
    os.utime(path, (far, far))
    assert ReleaseHistory(root, verify).timestamps(SEEDS.name) == (HOUR,)
    assert published_at(deployment.build(correction="withdrawn, nobody knows why")).year == 2026


def test_no_answer_is_given_for_what_is_to_come_whatever_a_document_says():
    assert stable_as_of((datetime(2099, 1, 1, tzinfo=UTC),), HOUR) <= HOUR + CLOCKS_DIFFER
