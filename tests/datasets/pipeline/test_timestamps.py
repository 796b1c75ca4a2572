"""Published timestamps: no two are equal, their order is true, and they do not reveal how long a build took."""

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


class DeploymentWithClock(SmallDeployment):
    """A deployment whose clock is set by the test, and advances by `tick` whenever it is read."""

    now, tick = HOUR, timedelta(0)

    def make_context(self, on_step):
        return BuildContext(
            self.folder / "releases", self.folder / "private", self.ledger, super().make_context(on_step).signer,
            now=self.read_clock, on_step=on_step,
        )  # fmt: skip

    def read_clock(self):
        self.now += self.tick
        return self.now


def make_deployment(folder, now, tick):
    made = DeploymentWithClock(folder, PLENTY, SEEDS).put(crates(30, 10))
    made.now, made.tick = now, tick
    return made


def published_times(deployment):
    """Every published timestamp, of releases and of ledger entries."""
    root = deployment.folder / "releases"
    manifests = [json.loads(path.read_text())["published_at"] for path in root.rglob("manifest.json")]
    return manifests, [entry.time for entry in deployment.ledger.entries()]


def test_a_slow_build_is_published_with_the_same_timestamps_as_a_fast_one(tmp_path):
    quick = make_deployment(tmp_path / "quick", HOUR + timedelta(seconds=3), timedelta(milliseconds=1))
    slow = make_deployment(
        tmp_path / "slow", HOUR + timedelta(minutes=2), timedelta(minutes=11, microseconds=7)
    )
    for deployment in (quick, slow):
        deployment.build()
    assert (
        published_times(quick) == published_times(slow) == ([HOUR.isoformat()], ["2026-07-01", "2026-07-01"])
    )


def test_a_failed_build_reveals_only_its_day(tmp_path):
    deployment = make_deployment(tmp_path / "deployment", HOUR, timedelta(minutes=3))

    def raise_error(step):
        if step == "publishing":
            raise RuntimeError

    with pytest.raises(RuntimeError):
        deployment.build(on_step=raise_error)
    assert [(entry.state, entry.time) for entry in deployment.ledger.entries()] == [
        ("reserved", "2026-07-01"),
        ("void", "2026-07-01"),
    ]


def test_actions_within_one_second_keep_their_order(tmp_path):
    """Releases, rollbacks and withdrawals by turns, while the clock stands still."""
    deployment = make_deployment(tmp_path / "deployment", HOUR + timedelta(minutes=30), timedelta(0))
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


def test_no_timestamp_lies_in_a_time_for_which_readers_have_answered():
    now = HOUR + timedelta(minutes=59, seconds=59, microseconds=999_999)
    for earlier in ((), (HOUR - timedelta(days=1),), (HOUR,), (HOUR + timedelta(minutes=30),)):
        for next_ in (release_timestamp(earlier, now), action_timestamp(earlier, now)):
            assert next_ > stable_as_of(earlier, now)
            assert next_.microsecond == 0


@pytest.mark.parametrize("ahead", [-CLOCKS_DIFFER, timedelta(0), CLOCKS_DIFFER])
@pytest.mark.parametrize("waits", [timedelta(minutes=9), timedelta(minutes=11), timedelta(hours=3)])
@pytest.mark.parametrize("place", ["cells written", "manifest written", "ledger replaced"])
def test_a_release_appears_in_no_time_for_which_a_reader_has_answered(tmp_path, ahead, waits, place):
    """The builder is stopped just before the full hour; the reader's clock is not the builder's."""
    deployment = make_deployment(tmp_path / "deployment", HOUR + timedelta(minutes=59), timedelta(0))
    answered: list[datetime] = []
    waited: list[str] = []

    def act(at):
        if at == place and not waited:
            waited.append(at)
            deployment.now += waits
        if at == "release flushed":
            answered.append(stable_as_of((), deployment.now + ahead))

    with armed_failpoints(act):
        folder = deployment.build()
    assert answered[0] < published_at(folder) <= deployment.now
    assert (published_at(folder).minute, published_at(folder).second) == (0, 0)
    assert ensure_releases(deployment.folder / "releases", verify, deployment.ledger) == 1


def test_a_withdrawal_and_a_rollback_have_the_time_at_which_their_documents_appear(tmp_path):
    """Putting them on record takes long, and a reader's clock is ahead."""
    deployment = make_deployment(tmp_path / "deployment", HOUR, timedelta(0))
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


def test_a_release_is_later_than_one_with_damaged_cells(tmp_path):
    deployment = make_deployment(tmp_path / "deployment", HOUR + timedelta(minutes=1), timedelta(0))
    first = deployment.build()
    (first / "cells.parquet").write_bytes(b"")
    assert published_at(first) == HOUR
    assert published_at(deployment.build(correction="its cells were lost")) == HOUR + timedelta(seconds=1)


@pytest.mark.parametrize("lost", ["manifest", "erratum", "rollback"])
def test_a_release_is_later_than_documents_that_cannot_be_verified(tmp_path, lost):
    """It is of its second then: that of its hour may be earlier than what was lost."""
    deployment = make_deployment(tmp_path / "deployment", HOUR + timedelta(minutes=10), timedelta(0))
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


def test_the_modification_time_of_a_file_is_not_a_timestamp(tmp_path):
    deployment = make_deployment(tmp_path / "deployment", HOUR, timedelta(0))
    root = deployment.folder / "releases"
    deployment.build()
    path = layout.erratum_file(root, SEEDS.name, "2026-06.1")
    path.write_bytes(b"who knows")
    far = datetime(2099, 1, 1, tzinfo=UTC).timestamp()
    os.utime(path, (far, far))
    assert ReleaseHistory(root, verify).timestamps(SEEDS.name) == (HOUR,)
    assert published_at(deployment.build(correction="withdrawn, nobody knows why")).year == 2026


def test_no_answer_is_stable_for_the_future_whatever_a_document_says():
    assert stable_as_of((datetime(2099, 1, 1, tzinfo=UTC),), HOUR) <= HOUR + CLOCKS_DIFFER
