"""Resolved questions are kept until something is released; then they are resolved again."""

import gc
import weakref

from tests.datasets.release.small_release import write_release

PARAMETERS = (("measure", "crates"), ("group_by", "kind"))


def test_a_question_is_resolved_once_until_something_is_released(reader, root):
    first = reader.resolver.resolve("harvest", PARAMETERS)
    assert reader.resolver.resolve("harvest", PARAMETERS) is first
    write_release(root, revision=3, seed=8)
    again = reader.resolver.resolve("harvest", PARAMETERS)
    assert [[release.name for release in releases] for _, releases in (first, again)] == [
        ["2026-06.2"],
        ["2026-06.3"],
    ]


def test_a_question_of_a_named_release_is_in_memory_once_it_was_resolved(reader):
    named = (*PARAMETERS, ("release", "2026-06.1"))
    assert reader.resolver.is_resolved_in_memory("harvest", PARAMETERS)
    assert not reader.resolver.is_resolved_in_memory("harvest", named)
    reader.resolver.resolve("harvest", named)
    assert reader.resolver.is_resolved_in_memory("harvest", named)


def test_resolved_questions_are_dropped_once_something_is_released(reader, root):
    question = weakref.ref(reader.resolver.resolve("harvest", PARAMETERS)[0])
    gc.collect()
    assert question() is not None
    write_release(root, revision=3, seed=8)
    reader.resolver.resolve("harvest", (("measure", "crates"),))
    gc.collect()
    assert question() is None


def test_a_result_that_is_ready_only_after_the_next_release_is_not_kept(reader, root, monkeypatch):
    releases_for = reader.resolver.releases_for
    newer = []

    def release_meanwhile(question):
        found = releases_for(question)
        monkeypatch.setattr(reader.resolver, "releases_for", releases_for)
        write_release(root, revision=3, seed=8)
        newer.append(reader.resolver.resolve("harvest", (("measure", "crates"),)))  # as another thread would
        return found

    monkeypatch.setattr(reader.resolver, "releases_for", release_meanwhile)
    question, releases = reader.resolver.resolve("harvest", PARAMETERS)
    assert [release.name for release in releases] == ["2026-06.2"]
    late = weakref.ref(question)
    del question
    gc.collect()
    assert late() is None
    assert reader.resolver.resolve("harvest", (("measure", "crates"),)) is newer[0]


def test_a_thread_that_read_an_older_generation_leaves_the_newer_results(reader, monkeypatch):
    newer = reader.resolver.resolve("harvest", PARAMETERS)
    with monkeypatch.context() as patch:
        patch.setattr(reader.store, "generation", reader.store.generation - 1)
        assert reader.resolver.resolve("harvest", PARAMETERS) is not newer
    assert reader.resolver.resolve("harvest", PARAMETERS) is newer
