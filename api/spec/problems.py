"""The types of problems, by status: for docs/problems.md, the routes under /problems and the description."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus

from api.errors import STATUS
from api.http.problems import Problem, slug, title
from api.spec.explanations import EXPLANATIONS, Explanation


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One type of problem: its name, status, title and explanation."""

    name: str
    status: int
    title: str
    explanation: Explanation

    @property
    def example(self) -> Problem:
        """An example of this problem."""
        return Problem(
            type=f"/problems/{self.name}",
            title=self.title,
            status=self.status,
            detail=self.explanation.detail,
            instance="urn:request:00000000000000000000000000000000",
        )


BY_STATUS = {
    "not-found": 404,
    "method-not-allowed": 405,
    "too-many-requests": 429,
    "internal-server-error": 500,
}
"""Problems that have no exception of their own: by name, the HTTP status they stand for."""


def problem_types() -> Iterator[ProblemType]:
    """Every type of problem, sorted by status and name."""
    titles = {slug(kind): (status, title(kind)) for kind, status in STATUS.items()}
    titles |= {name: (status, HTTPStatus(status).phrase) for name, status in BY_STATUS.items()}
    titles["too-many-requests"] = (429, "More requests than the limit allows")
    for name, (status, phrase) in sorted(titles.items(), key=lambda item: (item[1][0], item[0])):
        yield ProblemType(name, status, phrase, EXPLANATIONS[name])


def markdown() -> str:
    """The text of docs/problems.md."""
    lines = [
        "# Problems",
        "",
        "Every request that fails is answered with `application/problem+json` (RFC 9457). `type` is the URL of an",
        "explanation. `detail` says in a sentence what is wrong and what would be right. `parameter`, `value`, `allowed` and",
        "`suggestions` give the same to a program, if they apply. `instance` identifies the request, as does the header",
        "`X-Request-Id`.",
        "",
        "`make openapi` writes this page. The tests send each request and compare the answer.",
    ]
    for kind in problem_types():
        explanation = kind.explanation
        lines += ["", f"## {kind.name}", "", f"**{kind.status}** {kind.title}.", "", explanation.remedy, ""]
        if explanation.request and len(explanation.request) < 200:
            lines += ["```", _as_command(explanation.request), "```", ""]
        lines += [f"> {explanation.detail}"]
    return "\n".join(lines) + "\n"


def _as_command(request: str) -> str:
    """The request as a command that can be copied, with a token unless its header field is about the token.

    >>> _as_command("GET /v1 Accept:text/csv")
    'curl -H "Authorization: Bearer $TOKEN" -H "Accept:text/csv" "http://127.0.0.1:8000/v1"'
    >>> _as_command("DELETE /v1")
    'curl -X DELETE -H "Authorization: Bearer $TOKEN" "http://127.0.0.1:8000/v1"'
    """
    method, target, *fields = request.split(" ", 2)
    if not any(field.startswith("Authorization:") for field in fields):
        fields.insert(0, "Authorization: Bearer $TOKEN")
    options = [] if method == "GET" else [f"-X {method}"]
    options += [f'-H "{field}"' for field in fields]
    return f'curl {" ".join(options)} "http://127.0.0.1:8000{target}"'
