"""What each problem means, what to do about it, and a request that meets it: for the documents, and where a `type` resolves.

A request is written as in HTTP, the fields it needs behind it; an example without one cannot be had by asking. The tests send
every request and compare.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from api.errors import PUBLIC_SENTENCES, STATUS, STATUS_SENTENCES
from api.http.problems import slug, title
from auth.errors import ChainBroken, KeyUnusable

_ASK = "GET /v1/datasets/moderation/aggregates?measure=actions"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What to do, and what the answer to `request` says."""

    remedy: str
    detail: str
    request: str = ""


@dataclass(frozen=True, slots=True)
class ProblemType:
    """Everything that is said of one kind of problem."""

    name: str
    status: int
    title: str
    explanation: Explanation

    @property
    def example(self) -> dict[str, Any]:
        """A problem of this kind (RFC 9457, section 3)."""
        return {
            "type": f"/problems/{self.name}",
            "title": self.title,
            "status": self.status,
            "detail": self.explanation.detail,
            "instance": "urn:request:00000000000000000000000000000000",
        }


EXPLANATIONS = {
    "malformed": Explanation(
        "Write the query as name=value pairs joined by &, in percent-encoded UTF-8; or send a JSON object as the body.",
        "The query is not written as name=value pairs in percent-encoded UTF-8, joined by &, at most 64 of them.",
        "GET /v1/datasets/moderation/aggregates?measure",
    ),
    "token-missing": Explanation(
        "Send the field Authorization with the word Bearer, a space, and your token.",
        "Authorization: a token is needed here; send the field 'Authorization: Bearer TOKEN' with a token that was issued to "
        "you.",
        f"{_ASK} Authorization:",
    ),
    "token-refused": Explanation(
        "The token is wrong, expired or revoked, or its project is not active today. Ask whoever issued it; the reason is "
        "not told to whoever holds it.",
        "Authorization: this token is not valid, or no longer; send as 'Bearer TOKEN' a token that was issued here, has not "
        "been revoked, and belongs to a project that is active today.",
        f"{_ASK} Authorization:Bearer nothing",
    ),
    "out-of-scope": Explanation(
        "Ask only the datasets that your reasoned request names; its amendment is asked for where the request was.",
        "The project REQ-1 may not read ads: its token has the scopes moderation:read, and ads:read is needed.",
    ),
    "unknown-dataset": Explanation(
        "Take one of the names that GET /v1/datasets lists.",
        "dataset 'moderatoin' does not exist; there are moderation, ads, recommendations. Did you mean moderation?",
        "GET /v1/datasets/moderatoin",
    ),
    "unknown-code-list": Explanation(
        "Take one of the names that GET /v1/codelists lists.",
        "code list 'categroy' does not exist. Did you mean category?",
        "GET /v1/codelists/categroy",
    ),
    "unknown-release": Explanation(
        "Take one of the releases that GET /v1/releases lists, or leave `release` out for the latest.",
        "release=2026-06 of moderation does not exist; there are 2026-05.1, 2026-06.1",
        f"{_ASK}&release=2026-06",
    ),
    "report-not-covered": Explanation(
        "Take one of the periods that GET /v1/reports lists.",
        "period=2031-H1: nothing is released of it; there are reports of 2026-H1, 2026-Q2, 2026-05, 2026-06",
        "GET /v1/reports/2031-H1",
    ),
    "unknown-part": Explanation(
        "Take one of the parts in `allowed`: the official name, without .csv.",
        "part '4_notes' is not made here; there are 3_member_states_orders, 4_notices, 5_own_initiative_illegal, "
        "6_own_initiative_TC, 7_appeals_and_recidivism, 8_automated_means, 10_AMAR. Did you mean 4_notices?",
        "GET /v1/reports/2026-06/4_notes",
    ),
    "unknown-file": Explanation(
        "Take one of the files that the release's manifest names.",
        "2026-06.1 has no file 'cells.csv'; it has cells.parquet, codebook.json.",
        "GET /v1/releases/moderation/2026-06.1/files/cells.csv",
    ),
    "not-acceptable": Explanation(
        "Accept one of the media types in `allowed`, or write `format`.",
        "Accept: application/xml cannot be answered; accept one of the media types in `allowed`, or write format=json",
        f"{_ASK} Accept:application/xml",
    ),
    "release-withdrawn": Explanation(
        "Do not use its numbers. Ask its successor, if there is one; GET /v1/errata says what was wrong.",
        "moderation 2026-05.1 was withdrawn on 2026-07-02: Two sellers' accounts were counted as persons. (its successor is "
        "2026-05.2; all errata: /v1/errata)",
    ),
    "too-large": Explanation(
        "Send a body of at most 64 KiB; no question needs more.",
        "The body has more than 65536 bytes; no question needs that many.",
    ),
    "too-long": Explanation(
        "Send a long question as the body of a POST to the same address.",
        "The query has 8208 bytes; at most 8192 are read.",
        f"GET /v1/datasets/moderation/aggregates?measure={'a' * 8200}",
    ),
    "range-not-satisfiable": Explanation(
        "Ask for bytes that the file has; Content-Range says how many those are.",
        "Range: bytes=9999999999- lies beyond the file",
        "GET /v1/releases/moderation/2026-06.1/files/cells.parquet Range:bytes=9999999999-",
    ),
    "unknown-parameter": Explanation(
        "Take a word of the grammar, or the name of a level of the dataset. Nothing is ever ignored.",
        "parameter 'categroy' is not known for moderation. Did you mean category?",
        f"{_ASK}&categroy=VIOLENCE",
    ),
    "repeated-parameter": Explanation(
        "Write several values in one parameter, with commas between.",
        "parameter 'measure' is given more than once; write its values in one, with commas: measure=A,B",
        f"{_ASK}&measure=accounts",
    ),
    "unknown-measure": Explanation(
        "Take a measure, or a derived measure, of the dataset's codebook.",
        "measure=action is no measure of moderation; it has actions, accounts, automated_share, reversal_share, "
        "median_hours. Did you mean actions?",
        "GET /v1/datasets/moderation/aggregates?measure=action",
    ),
    "unknown-level": Explanation(
        "Take a level of the dataset's codebook.",
        "group_by=categroy names no level of moderation. Did you mean category?",
        f"{_ASK}&group_by=categroy",
    ),
    "unknown-code": Explanation(
        "Take a code of the level's code list: GET /v1/codelists/NAME?search=...",
        "category=SCAMS is not in the code list 'category'. Did you mean SCAMS_AND_FRAUD?",
        f"{_ASK}&category=SCAMS",
    ),
    "malformed-question": Explanation(
        "The detail says how the value should be written; the guide to asking has an example of each.",
        "limit=0 is no number of rows; write a whole number from 1 to 999999",
        f"{_ASK}&limit=0",
    ),
    "malformed-period": Explanation(
        "Write a month, a day, or a range of either, as ISO 8601 has them.",
        "period=June is no period; write a month, a day, or a range of either: 2026-06, 2026-06-01, 2026-01..2026-06",
        f"{_ASK}&period=June",
    ),
    "period-not-released": Explanation(
        "Ask months that have been released: GET /v1/datasets/NAME lists them under `coverage`.",
        "period=2031-01 reaches outside what is released; released are 2026-05, 2026-06",
        f"{_ASK}&period=2031-01",
    ),
    "empty-question": Explanation(
        "Take filters that leave something; a keyword belongs to one category.",
        "the filters category and keyword exclude each other: no code is within all that is asked",
        f"{_ASK}&category=VIOLENCE&keyword=PHISHING",
    ),
    "cursor-refused": Explanation(
        "Ask the first page anew, and follow `page.next` with nothing changed but `limit`.",
        "cursor was not given by this service, or was changed; ask again without cursor, and follow page.next with nothing "
        "but limit changed",
        f"{_ASK}&cursor=abc",
    ),
    "not-published": Explanation(
        "Group and filter by fewer dimensions: `allowed` names the nearest cuboids that are published. GET .../plan tries a "
        "question for nothing.",
        "actions is not published by category × restriction × member_state; it is by category × restriction, and by category "
        "× member_state, and by restriction × member_state",
        f"{_ASK}&group_by=category,member_state,restriction",
    ),
    "mixed-versions": Explanation(
        "Ask for the months of each version apart; GET .../diff/... says what changed between them.",
        "2026-05 is of version 1 of moderation, 2026-06 of version 2; ask for them one at a time",
    ),
    "question-interrupted": Explanation(
        "Ask fewer groups or a shorter period, or fetch the released file instead.",
        "the question was stopped; it may take 10 seconds. Ask fewer groups or a shorter period",
    ),
    "too-busy": Explanation(
        "Ask again when Retry-After says; two questions of a project run at a time, others wait.",
        "16 questions of this project are waiting already; ask again when some are answered.",
    ),
    "release-damaged": Explanation(
        "Nothing is wrong with the question. Ask again later; GET /readyz says what is degraded.",
        "release 2026-06.1: cells.parquet is not the file that was signed",
    ),
    "release-unavailable": Explanation(
        "Nothing is wrong with the question. Ask again later; GET /readyz says what is degraded.",
        "what was released of moderation cannot be served at the moment; ask again later",
    ),
    "registry-unavailable": Explanation(
        "Nothing is wrong with the token. Nobody can be let in at the moment; ask again when Retry-After says.",
        "The registry cannot be reached; nobody is let in until it can. Try again shortly.",
    ),
    "malformed-value": Explanation(
        "The detail says how the value should be written.",
        "overlap_hours: 'many' is no number of hours; write a whole number from 0 to 168.",
    ),
    "unknown-record": Explanation(
        "Look it up in the list of its kind: projects, applications, tokens, admins, keys.",
        "project: there is no project 'REQ-9'; give the reference of a reasoned request, as in 'project list'.",
    ),
    "role-too-small": Explanation(
        "Ask somebody of a role in `allowed`; GET /v1/admin/session says which role the session has.",
        "The role auditor does not include this act, which is for issuer or owner.",
    ),
    "not-allowed": Explanation(
        "The detail says what stands against it.",
        "token: tok_aaaaaaaaaaaaaaaaaaaaaaaaaa was replaced already, by tok_bbbbbbbbbbbbbbbbbbbbbbbbbb.",
    ),
    "key-unusable": Explanation(
        "The fault is ours. Ask again later.", PUBLIC_SENTENCES[KeyUnusable]
    ),
    "chain-broken": Explanation(
        "The fault is ours. Report it to the contact that GET /v1 names.", PUBLIC_SENTENCES[ChainBroken]
    ),
    "not-found": Explanation(
        "GET /v1 lists what there is.", STATUS_SENTENCES[404], "GET /v1/nothing"
    ),
    "method-not-allowed": Explanation(
        "The field Allow names the methods that do something here.", STATUS_SENTENCES[405], "DELETE /v1/datasets"
    ),
    "too-many-attempts": Explanation(
        "Somebody behind this address shows tokens that open nothing. A token that was good before keeps working; for others "
        "wait as long as Retry-After says.",
        "Too many tokens from this address were refused: 20 per 1 minute are tried. Check the token, and ask again later.",
    ),
    "quota-spent": Explanation(
        "Ask again after midnight UTC, or for less: group by fewer levels, fetch only what has changed (If-None-Match).",
        "The quota of 50,000,000 rows a day is spent: 50,000,120 were given to this project today. It begins anew at "
        "midnight UTC; GET /v1/me/usage shows what was taken.",
    ),
    "too-many-requests": Explanation(
        "Wait as long as Retry-After says. `policy` names the limit: each has a bucket of its own.",
        "The policy 'project' allows this project 100 per 1 minute; ask again in 12 s.",
    ),
    "internal-server-error": Explanation(
        "The fault is ours and costs nothing. Report the `instance` to the contact that GET /v1 names.",
        "Internal Server Error.",
    ),
}  # fmt: skip
"""By the last part of a problem's `type`."""

BY_STATUS = {
    "not-found": 404,
    "method-not-allowed": 405,
    "too-many-requests": 429,
    "internal-server-error": 500,
}
"""Problems that are no more than their status."""


def problem_types() -> Iterator[ProblemType]:
    """Every kind of problem, by status."""
    titles = {slug(kind): (status, title(kind)) for kind, status in STATUS.items()}
    titles |= {name: (status, HTTPStatus(status).phrase) for name, status in BY_STATUS.items()}
    titles["too-many-requests"] = (429, "More requests than the limit allows")
    for name, (status, words) in sorted(titles.items(), key=lambda item: (item[1][0], item[0])):
        yield ProblemType(name, status, words, EXPLANATIONS[name])


def markdown() -> str:
    """The document of all problems."""
    lines = [
        "# Problems",
        "",
        "Every refusal is `application/problem+json` (RFC 9457). Its `type` is the address of an explanation; `detail` says",
        "in a sentence what is wrong and what would be right; `parameter`, `value`, `allowed` and `suggestions` say the same",
        "for a machine, where they apply. `instance` names the request, as the field `X-Request-Id` does.",
        "",
        "This page is written by `make openapi`. The tests send each request and compare.",
    ]
    for kind in problem_types():
        explanation = kind.explanation
        lines += ["", f"## {kind.name}", "", f"**{kind.status}** {kind.title}.", "", explanation.remedy, ""]
        if explanation.request and len(explanation.request) < 200:
            lines += ["```", explanation.request, "```", ""]
        lines += [f"> {explanation.detail}"]
    return "\n".join(lines) + "\n"
