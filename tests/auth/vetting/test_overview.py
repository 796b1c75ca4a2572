"""The public overview of projects."""

from auth.scopes import SCOPES
from tests.auth.conftest import NOW, PROJECT, mandate


def test_the_public_summary_names_no_person(populated):
    (summary,) = populated.projects.summaries(NOW)
    assert summary.reference == PROJECT
    assert set(summary.datasets) <= {scope.removesuffix(":read") for scope in SCOPES}
    assert "ann" not in repr(summary).lower()
    assert summary.status == "active"
    (over,) = populated.projects.summaries(summary.end)
    assert over.status == "ended", "also if no admin has ended it"


def test_the_summary_of_a_project_that_was_ended_early_says_when(populated):
    populated.projects.set_status(PROJECT, "ended", mandate(reason="Done."))
    (summary,) = populated.projects.summaries(NOW)
    assert (summary.status, summary.end) == ("ended", NOW)
