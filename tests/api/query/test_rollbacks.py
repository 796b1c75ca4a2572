"""A month that is rolled back to an earlier release, which is published, signed and recorded."""

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest

from datasets.pipeline.operations.rollback import CannotRollBack
from datasets.pipeline.operations.withdrawal import CannotWithdraw
from datasets.pipeline.state.failpoints import armed_failpoints
from datasets.release.format.layout import rollback_files
from tests.api.conftest import AGGREGATES
from tests.api.query.corrections import REASON, roll_back_june, withdraw_release


def test_a_rollback_to_an_earlier_release_is_published(corrected, tmp_path):
    copy = corrected.copy(tmp_path / "home")
    with copy.client(copy.token()) as client:
        roll_back_june(copy, "2026-06.1")
        client.app.state.releases.store.refresh()
        asked = {"measure": "actions", "period": "2026-06"}
        assert client.get(AGGREGATES, params=asked).json()["releases"] == ["2026-06.1"]
        set_aside = client.get(AGGREGATES, params={"measure": "actions", "release": "2026-06.2"})
        assert set_aside.json()["releases"] == ["2026-06.2"]
        latest = client.get("/v1/changelog").json()["changes"][0]
        assert (latest["kind"], latest["release"]) == ("rolled back", "2026-06.1")
        assert latest["detail"] == f"current again instead of 2026-06.2: {REASON}"
        assert client.get("/v1/errata", params={"format": "atom"}).text.count("rolled back") == 1
        assert client.get("/readyz").json()["degraded"] == []
        back = datetime.fromisoformat(latest["at"])
        for when, current in ((back - timedelta(seconds=1), "2026-06.2"), (back, "2026-06.1")):
            then = client.get(AGGREGATES, params=asked | {"as_of": f"{when:%Y-%m-%dT%H:%M:%SZ}"})
            assert then.json()["releases"] == [current]
        both = {"measure": "actions", "group_by": "period", "period": "2026-05..2026-06"}
        (cited,) = client.get("/v1/datasets/moderation/citation", params=both).json()
        assert cited["URL"].endswith(f"&as_of={back:%Y-%m-%dT%H:%M:%SZ}")
        assert client.get(urlsplit(cited["URL"]).path + "?" + urlsplit(cited["URL"]).query).json()[
            "releases"
        ] == ["2026-05.1", "2026-06.1"]
        later = client.get(
            AGGREGATES, params=asked | {"as_of": f"{back + timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}"}
        )
        assert "is not over yet, so its answer could still change" in later.json()["detail"]
    with closing(sqlite3.connect(copy.home / "registry.sqlite")) as registry:
        acts = registry.execute(
            "SELECT subject FROM audit_event WHERE act = 'release.rolled-back'"
        ).fetchall()
    assert acts == [("moderation/2026-06.1",)]
    for release, words in [("2026-06.1", "is current already"), ("2026-05.1", "is not a release of 2026-06")]:
        with pytest.raises(CannotRollBack, match=words):
            roll_back_june(copy, release)
    withdraw_release(copy, "2026-06.2")
    with pytest.raises(CannotRollBack, match="was withdrawn and is not served again"):
        roll_back_june(copy, "2026-06.2")
    copy.close()


def test_an_interrupted_rollback_is_completed_by_repeating_it(corrected, tmp_path):
    copy = corrected.copy(tmp_path / "home")
    with pytest.raises(CannotWithdraw, match="needs a reason"):
        roll_back_june(copy, "2026-06.1", "worse")

    def stop(place):
        if place == "pointer written":
            raise OSError(28, "No space left on device")

    with armed_failpoints(stop), pytest.raises(OSError, match="No space"):
        roll_back_june(copy, "2026-06.1")
    pointer = copy.releases / "moderation" / "2026-06.current"
    assert pointer.read_text() == "2026-06.2\n"
    roll_back_june(copy, "2026-06.1")
    assert pointer.read_text() == "2026-06.1\n"
    assert [path.name for path in rollback_files(copy.releases, "moderation")] == ["2026-06.rollback-1"]
    copy.close()
