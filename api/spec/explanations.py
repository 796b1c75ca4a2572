"""For each type of problem: what to do about it, and an example.

An example has a request if one request is enough to cause the problem: method, URL, then a header that it needs. The tests
send each request and compare the answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from api.errors import PUBLIC_SENTENCES, STATUS_SENTENCES
from auth.errors import ChainBroken, KeyUnusable
from datasets.catalogue import DATASETS

_NAMES = ", ".join(dataset.name for dataset in DATASETS)
_ASK = "GET /v1/datasets/moderation/aggregates?measure=actions"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What to do about a problem, and an example: the `detail` of the answer to `request`."""

    remedy: str
    detail: str
    request: str = ""


EXPLANATIONS = {
    "malformed": Explanation(
        "Write the query as name=value pairs joined by &, in percent-encoded UTF-8. The body of a POST is a JSON object.",
        "The query is not written as name=value pairs in percent-encoded UTF-8, joined by &, at most 64 of them.",
        "GET /v1/datasets/moderation/aggregates?measure",
    ),
    "token-missing": Explanation(
        "Send your token in the header: `Authorization: Bearer TOKEN`.",
        "Authorization: a token is needed here; send the field 'Authorization: Bearer TOKEN' with a token that was issued to "
        "you.",
        f"{_ASK} Authorization:",
    ),
    "token-refused": Explanation(
        "The token is wrong, expired or revoked, or its project is not active today; the API does not say which. Check the "
        "token, then ask the provider that issued it. A token that worked until now may have been closed with its chain of "
        "rotations, because somebody found or revoked another token of it: ask for a new token, and which one was named.",
        "Authorization: this token is not valid, or no longer; send as 'Bearer TOKEN' a token that was issued here, has not "
        "been revoked, and belongs to a project that is active today.",
        f"{_ASK} Authorization:Bearer nothing",
    ),
    "out-of-scope": Explanation(
        "Use only the datasets that your reasoned request names. For another, submit an amended request where you "
        "submitted the first one.",
        "The project REQ-1 may not read ads: its token has the scopes moderation:read, and ads:read is needed.",
    ),
    "unknown-dataset": Explanation(
        "Use one of the names that GET /v1/datasets lists.",
        f"dataset 'moderatoin' does not exist; there are {_NAMES}. Did you mean moderation?",
        "GET /v1/datasets/moderatoin",
    ),
    "unknown-code-list": Explanation(
        "Use one of the names that GET /v1/codelists lists.",
        "code list 'categroy' does not exist. Did you mean category?",
        "GET /v1/codelists/categroy",
    ),
    "unknown-release": Explanation(
        "Use one of the releases that GET /v1/releases lists, or leave out `release` to use the latest.",
        "release=2026-06 of moderation does not exist; there are 2026-05.1, 2026-06.1",
        f"{_ASK}&release=2026-06",
    ),
    "report-not-covered": Explanation(
        "Use one of the periods that GET /v1/reports lists.",
        "period=2031-H1: no release covers it; there are reports for 2026-H1, 2026-Q2, 2026-05, 2026-06",
        "GET /v1/reports/2031-H1",
    ),
    "unknown-part": Explanation(
        "Use one of the parts in `allowed`: the official name of its file, without .csv.",
        "part '4_notes' is not available; available are 3_member_states_orders, 4_notices, 5_own_initiative_illegal, "
        "6_own_initiative_TC, 7_appeals_and_recidivism, 8_automated_means, 10_AMAR. Did you mean 4_notices?",
        "GET /v1/reports/2026-06/4_notes",
    ),
    "unknown-file": Explanation(
        "Use one of the files in `allowed`. The manifest of the release lists them.",
        "2026-06.1 has no file 'cells.csv'; it has cells.parquet, codebook.json.",
        "GET /v1/releases/moderation/2026-06.1/files/cells.csv",
    ),
    "not-acceptable": Explanation(
        "Send an Accept header with one of the media types in `allowed`, or use the parameter `format`.",
        "Accept: application/xml cannot be answered; accept one of the media types in `allowed`, or write format=json",
        f"{_ASK} Accept:application/xml",
    ),
    "release-withdrawn": Explanation(
        "Do not use the numbers of this release. Use its successor, if there is one. GET /v1/errata says what was wrong.",
        "moderation 2026-05.1 was withdrawn on 2026-07-02: Two sellers' accounts were counted as persons. (its successor is "
        "2026-05.2; all errata: /v1/errata)",
    ),
    "too-large": Explanation(
        "Send a body of at most 64 KiB.",
        "The body has more than 65536 bytes; send a smaller one.",
    ),
    "too-long": Explanation(
        "Send a long question as the JSON body of a POST to the same path.",
        "The query has 8208 bytes; at most 8192 are read.",
        f"GET /v1/datasets/moderation/aggregates?measure={'a' * 8200}",
    ),
    "range-not-satisfiable": Explanation(
        "Request bytes within the file. The header Content-Range gives its size.",
        "Range: bytes=9999999999- lies beyond the file",
        "GET /v1/releases/moderation/2026-06.1/files/cells.parquet Range:bytes=9999999999-",
    ),
    "unknown-parameter": Explanation(
        "Use one of the parameters in `allowed`. No parameter is ignored, so a misspelt filter cannot go unnoticed.",
        "parameter 'categroy' is not known for moderation. Did you mean category?",
        f"{_ASK}&categroy=VIOLENCE",
    ),
    "repeated-parameter": Explanation(
        "Give the parameter once, with its values separated by commas.",
        "parameter 'measure' is given more than once; write its values in one, with commas: measure=A,B",
        f"{_ASK}&measure=accounts",
    ),
    "unknown-measure": Explanation(
        "Use a measure or a derived measure from the codebook of the dataset: GET /v1/datasets/NAME/codebook.",
        "measure=action is not a measure of moderation; it has actions, accounts, automated_share, reversal_share, "
        "median_hours. Did you mean actions?",
        "GET /v1/datasets/moderation/aggregates?measure=action",
    ),
    "unknown-level": Explanation(
        "Use a level from the codebook of the dataset: GET /v1/datasets/NAME/codebook.",
        "group_by=categroy names no level of moderation. Did you mean category?",
        f"{_ASK}&group_by=categroy",
    ),
    "unknown-code": Explanation(
        "Use a code from the code list of the level. Find it by its text: GET /v1/codelists/NAME?search=...",
        "category=SCAMS is not in the code list 'category'. Did you mean SCAMS_AND_FRAUD?",
        f"{_ASK}&category=SCAMS",
    ),
    "malformed-question": Explanation(
        "Write the value as `detail` says. GET /docs shows an example of each parameter.",
        "limit=0 is not a number of rows; write a whole number from 1 to 999999",
        f"{_ASK}&limit=0",
    ),
    "malformed-period": Explanation(
        "Write a month, a day, or a range of either, in the format of ISO 8601: 2026-06, 2026-06-01, 2026-01..2026-06.",
        "period=June is not a period; write a month, a day, or a range of either: 2026-06, 2026-06-01, 2026-01..2026-06",
        f"{_ASK}&period=June",
    ),
    "period-not-released": Explanation(
        "Use months that have been released. GET /v1/datasets/NAME lists them as `coverage`.",
        "period=2031-01 reaches outside what is released; released are 2026-05, 2026-06",
        f"{_ASK}&period=2031-01",
    ),
    "empty-question": Explanation(
        "Change or remove one of the filters. No code satisfies both: for example, each keyword belongs to one category.",
        "the filters category and keyword exclude each other: no code is within all that is asked",
        f"{_ASK}&category=VIOLENCE&keyword=PHISHING",
    ),
    "cursor-refused": Explanation(
        "Request the first page again without `cursor`, then follow `page.next`. Between pages only `limit` may change.",
        "cursor was not given by this service, or was changed; ask again without cursor, and follow page.next with nothing "
        "but limit changed",
        f"{_ASK}&cursor=abc",
    ),
    "not-published": Explanation(
        "Group and filter by fewer dimensions. `allowed` lists the nearest cuboids that are published. GET .../plan checks a "
        "question without charging the quota.",
        "actions is not published by category × restriction × member_state; it is by category × restriction, and by category "
        "× member_state, and by restriction × member_state",
        f"{_ASK}&group_by=category,member_state,restriction",
    ),
    "mixed-versions": Explanation(
        "Ask one question for the months of each version. GET /v1/releases/NAME/ONE/diff/OTHER shows what changed.",
        "2026-05 is of version 1 of moderation, 2026-06 of version 2; ask for them one at a time",
    ),
    "question-interrupted": Explanation(
        "Use fewer groups or a shorter period, or download the released file and query it yourself.",
        "the question was stopped; it may take 10 seconds. Ask fewer groups or a shorter period",
    ),
    "too-busy": Explanation(
        "Repeat the request after the seconds in Retry-After. Two questions of a project run at the same time, and others "
        "wait in a queue, which is full: send fewer at once.",
        "16 questions of this project are waiting already; ask again when some are answered.",
    ),
    "release-damaged": Explanation(
        "The question is correct. Repeat it later. GET /readyz lists the releases that are not served.",
        "release 2026-06.1: cells.parquet is not the file that was signed",
    ),
    "release-unavailable": Explanation(
        "The question is correct. Repeat it later. GET /readyz lists the releases that are not served.",
        "what was released of moderation cannot be served at the moment; ask again later",
    ),
    "registry-unavailable": Explanation(
        "Tokens cannot be checked at the moment; yours may be valid. Repeat the request after the seconds in Retry-After.",
        "The registry cannot be reached, so no request can be authenticated. Try again shortly.",
    ),
    "malformed-value": Explanation(
        "Write the value as `detail` says.",
        "overlap_hours: 'many' is not a number of hours; write a whole number from 0 to 168.",
    ),
    "unknown-record": Explanation(
        "Look up the identifier in the list of projects, applications, tokens, admins, notices or keys.",
        "project: there is no project 'REQ-9'; give the reference of a reasoned request, as in 'project list'.",
    ),
    "role-too-small": Explanation(
        "Ask an admin who has one of the roles in `allowed`. GET /v1/admin/session shows the role of the session.",
        "The role auditor does not include this action, which is for issuer or owner.",
    ),
    "not-allowed": Explanation(
        "Read `detail`: it says which rule or which earlier change prevents this one.",
        "token: tok_aaaaaaaaaaaaaaaaaaaaaaaaaa was replaced already; the current token of its chain of rotations is "
        "tok_bbbbbbbbbbbbbbbbbbbbbbbbbb.",
    ),
    "key-unusable": Explanation(
        "The error is on our side. Repeat the request later.", PUBLIC_SENTENCES[KeyUnusable]
    ),
    "chain-broken": Explanation(
        "The error is on our side. Report it to the `contact` in GET /v1.", PUBLIC_SENTENCES[ChainBroken]
    ),
    "not-found": Explanation(
        "Check the path. GET /v1 links to everything that the API has.", STATUS_SENTENCES[404], "GET /v1/nothing"
    ),
    "method-not-allowed": Explanation(
        "Use one of the methods in the header Allow.", STATUS_SENTENCES[405], "DELETE /v1/datasets"
    ),
    "too-many-attempts": Explanation(
        "Too many invalid tokens were sent from your IP address. A token that was accepted before keeps working. To send "
        "another, wait for the seconds in Retry-After.",
        "Too many invalid tokens were sent from this address; at most 20 per 1 minute are checked. Check the token and "
        "try again later.",
    ),
    "quota-spent": Explanation(
        "Repeat the request after midnight UTC. To use less of the quota, group by fewer levels, and send If-None-Match: an "
        "unchanged answer (304) is not charged.",
        "This project has used 50,000,120 of its 50,000,000 rows for today. The quota is reset at midnight UTC; "
        "GET /v1/me/usage shows the usage.",
    ),
    "too-many-requests": Explanation(
        "Wait for the seconds in Retry-After. `policy` names the rate limit that was exceeded; each limit is counted "
        "separately.",
        "The policy 'project' allows this project 100 per 1 minute; ask again in 12 s.",
    ),
    "internal-server-error": Explanation(
        "The error is on our side, and nothing is charged. Report the `instance` to the `contact` in GET /v1.",
        "Internal Server Error.",
    ),
}  # fmt: skip
"""By name, which is the last part of a problem's `type`."""
