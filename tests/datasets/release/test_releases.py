"""Readers take up new releases, answer from several threads, stop at the deadline, and never mix versions."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from datasets.release.answer.deadline import Deadline, QuestionInterrupted
from datasets.release.releases import Releases
from datasets.release.store.changelog import difference
from tests.datasets.release.damage import ask_crates, edit, edit_the_codebook
from tests.datasets.release.small_release import sign, verify, write_release


def test_a_new_revision_is_picked_up_and_the_old_one_can_still_be_asked_by_name(reader, root):
    before = ask_crates(reader)
    write_release(root, revision=3, seed=8)
    reader.store.refresh()
    assert ask_crates(reader).meta["releases"] == ["2026-06.3"]
    assert ask_crates(reader).rows != before.rows
    assert ask_crates(reader, release="2026-06.2").rows == before.rows


def test_nothing_released_is_refused_in_a_sentence(tmp_path):
    releases = Releases(tmp_path / "none", tmp_path / "cache", verify, ("harvest",))
    with pytest.raises(Exception, match="nothing of harvest has been released yet"):
        ask_crates(releases)
    assert releases.degraded == ()
    releases.close()


def test_several_threads_get_the_same_results_as_one(reader):
    questions = [
        {"group_by": by, "period": p} for by in ("kind", "plant", "state") for p in ("2026-05", "2026-06")
    ]
    alone = [ask_crates(reader, **question).rows for question in questions]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda question: ask_crates(reader, **question).rows, questions * 10))
    assert found == alone * 10


def test_a_question_is_answered_by_one_thread(reader):
    """More threads than cores are slower: the API has a pool of its own."""
    for connection in (reader.store.connection, reader.store.connection.cursor()):
        assert connection.execute("SELECT current_setting('threads')").fetchone() == (1,)


def test_a_question_is_interrupted_at_its_deadline(reader):
    question = reader.question("harvest", [("measure", "crates")])
    over = Deadline(60)
    over.interrupt()
    with pytest.raises(QuestionInterrupted, match="was stopped"):
        reader.ask(question, over)
    assert reader.ask(question).rows


def test_months_of_two_versions_of_a_dataset_are_not_added_up(reader, root):
    folder = write_release(root, revision=3, seed=8)
    edit_the_codebook(version=2)(folder)
    edit(dataset_version=2)(folder)
    reader.store.refresh()
    assert reader.degraded == ()
    with pytest.raises(
        Exception, match=r"2026-05 is of version 1 of harvest, 2026-06 of version 2"
    ) as refused:
        ask_crates(reader, period="2026-05..2026-06")
    assert type(refused.value).__name__ == "MixedVersions"
    assert ask_crates(reader, period="2026-06").rows
    differs = difference(reader.find("harvest", "2026-06.2"), reader.find("harvest", "2026-06.3"))
    assert {"place": "dataset_version", "before": 1, "after": 2} in differs["manifest"]
    assert {"place": "version", "before": 1, "after": 2} in differs["codebook"]


def test_the_signature_of_these_tests_differs_between_texts():
    verify(b"a", sign(b"a"))
    with pytest.raises(ValueError, match="does not fit"):
        verify(b"a", sign(b"b"))
