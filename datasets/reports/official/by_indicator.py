"""Parts 7, 8 and 10: complaints, automated means, and recipients, by indicator and scope."""

from __future__ import annotations

from collections.abc import Iterator

from datasets.codelists.statement import RESTRICTION
from datasets.reports.coverage import Coverage
from datasets.reports.finding import IndicatorQueries
from datasets.reports.number import Number
from datasets.reports.official.additive import make_additive
from datasets.reports.official.cells import ColumnQuestion, cells_by_code, scale, single_cell
from datasets.reports.official.part import PartCells, PartDefinition
from datasets.reports.official.template import LANGUAGES, LEADING, STATES, TOTAL, Key, Row, Template

VALUE = "Value"
PLATFORMS = "Only for providers of online platforms"
TOTAL_NUMBER = "Total number"
COMPLAINTS = "Number of complaints submitted to the internal-complaints mechanism"
REGARDING = "Complaint regarding a decision "
KINDS = {
    f"{REGARDING}to remove or disable access to or restrict visibility of information": "VISIBILITY",
    f"{REGARDING}to suspend or terminate the provision of the service": "PROVISION",
    f"{REGARDING}to suspend or terminate an account ": "ACCOUNT",
    f"{REGARDING}to restrict the ability to monetise information": "MONETARY",
}
"""The subject of a complaint, and the prefix of the codes of such restrictions."""
NOT_HELD = (
    f"{REGARDING}not to take action on a notice submitted in accordance with Article 16",
    f"{REGARDING}not to take action on a notice submitted by a Trusted Flagger in accordance with Article 16",
)
OUTCOMES = {
    "Decisions upheld": "upheld", "Decisions partially reversed": "partially_reversed", "Decisions reversed": "reversed",
    "Decision omitted": "omitted",
}  # fmt: skip
DISPUTES = "Number of disputes submitted to out-of-court dispute settlement bodies"
SUSPENSIONS = (
    "Number of suspensions enacted for the provision of manifestly illegal content ",
    "Number of suspensions enacted for the provision of manifestly unfounded notices",
    "Number of suspensions enacted for the provision of manifestly unfounded complaints",
)


def _appeal_rows() -> Iterator[Row]:
    decided = ("Decisions upheld", "Decisions partially reversed", "Decisions reversed", "Median time")
    internal = "Internal complaints mechanism"
    rows = [(internal, COMPLAINTS, scope) for scope in (TOTAL_NUMBER, *decided, "Decision omitted")]
    rows += [
        (internal, "Number of restrictions newly imposed as a result of an internal complaint", TOTAL_NUMBER)
    ]
    rows += [(internal, kind, scope) for kind in (*KINDS, *NOT_HELD) for scope in (TOTAL_NUMBER, *decided)]
    rows += [
        ("Out-of-court dispute settlement bodies", DISPUTES, scope)
        for scope in (TOTAL_NUMBER, *decided, "Decision omitted", "Percentage of outcomes implemented")
    ]
    rows += [("Suspensions imposed on repeated offenders", each, TOTAL_NUMBER) for each in SUSPENSIONS]
    for section, indicator, scope in rows:
        who = "All" if (indicator, scope) == (COMPLAINTS, TOTAL_NUMBER) else PLATFORMS
        yield Row((indicator, scope), (who, "", "", section, indicator, scope))


APPEALS = Template(
    "7_appeals_and_recidivism",
    (*LEADING, "Section", "Indicator", "Scope"),
    (VALUE,),
    ("Contextual Information",),
    tuple(_appeal_rows()),
)


def _fill_appeals(inquiry: IndicatorQueries, coverage: Coverage, filled: PartCells) -> None:
    """Restrictions by what became of the complaint: all, and by kind of restriction. Pending ones are in the totals."""
    codes = (*OUTCOMES.values(), "pending")
    every = f"complaint_outcome={','.join(codes)}"
    noisy: dict[Key, Number] = {}
    scopes = {code: scope for scope, code in OUTCOMES.items()} | {"pending": "pending"}
    for indicator, restrictions in (
        (COMPLAINTS, ""),
        *((k, _restriction_filter(p)) for k, p in KINDS.items()),
    ):
        question = ColumnQuestion("actions", "&".join(filter(None, (every, restrictions))))
        noisy[(indicator, TOTAL_NUMBER)] = single_cell(inquiry, coverage, question)
        by_outcome = cells_by_code(inquiry, coverage, question, "complaint_outcome")
        noisy |= {(indicator, scopes[code]): by_outcome[code] for code in codes}
    nodes: dict[Key, float] = {key: number.value or 0.0 for key, number in noisy.items()}
    rest = "rest"
    for scope in (TOTAL_NUMBER, *scopes.values()):
        nodes[(rest, scope)] = nodes[(COMPLAINTS, scope)] - sum(nodes[(kind, scope)] for kind in KINDS)
    top = (COMPLAINTS, TOTAL_NUMBER)
    tree: dict[Key, list[Key]] = {top: [(kind, TOTAL_NUMBER) for kind in (*KINDS, rest)]}
    tree |= {(kind, TOTAL_NUMBER): [(kind, scope) for scope in scopes.values()] for kind in (*KINDS, rest)}
    whole = make_additive(tree, top, nodes)
    for scope in scopes.values():
        whole[(COMPLAINTS, scope)] = sum(whole[(kind, scope)] for kind in (*KINDS, rest))
    rows = {row.key for row in APPEALS.rows}
    filled.add(
        VALUE,
        {key: number for key, number in noisy.items() if key in rows},
        {key: value for key, value in whole.items() if key in rows},
    )


def _restriction_filter(prefix: str) -> str:
    return f"restriction={','.join(code.code for code in RESTRICTION if code.code.startswith(prefix))}"


SOLELY, NOT_AUTOMATED = (
    "Number of measures solely taken by automated means ",
    "Number of measures not taken by automated means",
)
NOTICES_SOLELY = "Number of notices solely processed by automated means "
NOTICES_NOT = "Number of notices not processed by automated means"
ACCURACY = tuple(f"Accuracy of the automated means - {what}" for what in ("Accuracy", "Precision", "Recall"))
OWN = "Own-initiative "


def _automated_means_rows() -> Iterator[Row]:
    hosting = "Only for providers of hosting services, including online platforms"
    groups = (
        ("All", TOTAL_NUMBER, (SOLELY, NOT_AUTOMATED, *ACCURACY)),
        ("All", OWN, (SOLELY, NOT_AUTOMATED, *ACCURACY)),
        (hosting, "NAM Total", (NOTICES_SOLELY, NOTICES_NOT, *ACCURACY)),
        (PLATFORMS, "NAM Trusted Flagger", (NOTICES_SOLELY, NOTICES_NOT, *ACCURACY)),
    )
    rows = [(who, indicator, scope) for who, scope, indicators in groups for indicator in indicators]
    rows += [
        ("Only for VLOPs", indicator, language)
        for indicator in (SOLELY, NOT_AUTOMATED, *ACCURACY)
        for language in LANGUAGES
    ]
    for who, indicator, scope in rows:
        section = "Use of automated means for content moderation"
        yield Row((indicator, scope), (who, "", "", section, indicator, scope))


AUTOMATED = Template(
    "8_automated_means",
    (*LEADING, "Section", "Indicator", "Scope"),
    (VALUE,),
    ("Contextual Information",),
    tuple(_automated_means_rows()),
)


def _fill_automated(inquiry: IndicatorQueries, coverage: Coverage, filled: PartCells) -> None:
    """Measures decided by fully automated means, and measures decided without any; those in part automated are in neither."""
    noisy: dict[Key, Number] = {}
    for scope, source in ((TOTAL_NUMBER, ""), (OWN, "source=VOLUNTARY")):
        for indicator, codes in ((SOLELY, "FULLY"), (NOT_AUTOMATED, "NOT_AUTOMATED")):
            filters = "&".join(filter(None, (source, f"automated_decision={codes}")))
            noisy[(indicator, scope)] = single_cell(inquiry, coverage, ColumnQuestion("actions", filters))
    whole: dict[Key, int] = {}
    for indicator in (
        SOLELY,
        NOT_AUTOMATED,
    ):  # own initiative is part of the total; the remainder is not printed
        total, own = (noisy[(indicator, scope)].value or 0.0 for scope in (TOTAL_NUMBER, OWN))
        top, own_key, rest_key = (indicator, TOTAL_NUMBER), (indicator, OWN), (indicator, "rest")
        nodes: dict[Key, float] = {top: total, own_key: own, rest_key: total - own}
        whole |= make_additive({top: [own_key, rest_key]}, top, nodes)
    filled.add(VALUE, noisy, {key: whole[key] for key in noisy})


RECIPIENTS_OF_MONTH = (
    "Number of average monthly active recipients during the reporting period\N{NO-BREAK SPACE}"
)
RECIPIENTS = Template(
    "10_AMAR",
    (*LEADING, "Section", "Indicator", "Scope"),
    (VALUE,),
    (),
    tuple(
        Row(
            (RECIPIENTS_OF_MONTH, scope),
            ("Only for VLOPs and VLOSEs", "", "", "AMAR", RECIPIENTS_OF_MONTH, scope),
            () if scope == TOTAL else (RECIPIENTS_OF_MONTH, TOTAL),
        )
        for scope in (TOTAL, *STATES)
    ),
)


def _fill_recipients(inquiry: IndicatorQueries, coverage: Coverage, filled: PartCells) -> None:
    """The monthly mean of recipients to whom something was recommended; each counts in one country per month."""
    question, months = ColumnQuestion("recipients", f"member_state={','.join(STATES)}"), len(coverage.months)
    total = single_cell(inquiry, coverage, question)
    by_state = cells_by_code(inquiry, coverage, question, "member_state")
    noisy: dict[Key, Number] = {(RECIPIENTS_OF_MONTH, TOTAL): scale(total, 1 / months)}
    noisy |= {(RECIPIENTS_OF_MONTH, state): scale(by_state[state], 1 / months) for state in STATES}
    top = (RECIPIENTS_OF_MONTH, TOTAL)
    tree: dict[Key, list[Key]] = {top: [row.key for row in RECIPIENTS.children(top)]}
    filled.add(VALUE, noisy, make_additive(tree, top, {key: n.value or 0.0 for key, n in noisy.items()}))


PARTS_BY_INDICATOR = (
    PartDefinition(
        APPEALS, "Complaints, disputes and suspensions (Art. 15(1)(d), 24(1))", "moderation", "actions", _fill_appeals,
        (
            "Complaints are restrictions that were complained about; those still pending are in the totals alone.",
            "Blank are median times, restrictions newly imposed, complaints of notifiers, out-of-court disputes and "
            "suspensions under Art. 23: moderation holds none of them.",
        ),
    ),
    PartDefinition(
        AUTOMATED, "Automated means (Art. 15(1)(e))", "moderation", "actions", _fill_automated,
        (
            "Decisions that were partially automated, or of which it is not recorded, are in neither row.",
            "Blank are notices, accuracy, precision, recall and languages: moderation holds none of them.",
        ),
    ),
    PartDefinition(
        RECIPIENTS, "Average monthly active recipients (Art. 42(3))", "recommendations", "recipients", _fill_recipients,
        (
            "Recipients to whom something was recommended; those who only visited are not known.",
            "Each recipient weighs one in a month, spread over the countries in which they were: the states add up to the "
            "total, of the 27 Member States.",
        ),
    ),
)  # fmt: skip
