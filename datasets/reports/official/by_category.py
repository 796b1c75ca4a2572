"""Parts 3 to 6: orders, notices, and measures at the provider's own initiative, by category and keyword."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain

from datasets.reports.coverage import Coverage
from datasets.reports.finding import IndicatorQueries
from datasets.reports.number import Number
from datasets.reports.official.additive import make_additive
from datasets.reports.official.cells import ColumnQuestion, cells_by_category, have_values
from datasets.reports.official.part import PartCells, PartDefinition
from datasets.reports.official.template import (
    LEADING,
    OF_NOTICES,
    OF_ORDERS,
    OF_OWN_INITIATIVE,
    STATES,
    TOTAL,
    Key,
    Template,
    category_rows,
)

ILLEGAL = "Category of illegal content"
OTHERS = 'Description of the sub-category "Other"'
NOTICE = "source=ARTICLE_16,TRUSTED_FLAGGER"
FLAGGER = "source=TRUSTED_FLAGGER"
LAW, TERMS = "ground=ILLEGAL_CONTENT", "ground=INCOMPATIBLE_CONTENT"
TF = "(Trusted Flagger notices)"


def _fill_by_category(
    template: Template, categories: Sequence[str], questions: dict[str, ColumnQuestion]
) -> Callable[[IndicatorQueries, Coverage, PartCells], None]:
    """A function that fills each column that has a question, independently of the others."""

    def fill(inquiry: IndicatorQueries, coverage: Coverage, filled: PartCells) -> None:
        for column, question in questions.items():
            cells = cells_by_category(inquiry, coverage, question, categories)
            rows = {row.key for row in template.rows}
            noisy = {key: number for key, number in cells.items() if key in rows}
            filled.add(column, noisy, _printed_cells(template, noisy, question))

    return fill


def _printed_cells(
    template: Template, noisy: dict[Key, Number], question: ColumnQuestion
) -> dict[Key, int | float]:
    if question.measure == "median_hours":  # medians are not additive: each reliable one is printed unchanged
        return {
            key: round(max(n.value, 0.0), 1)
            for key, n in noisy.items()
            if n.value is not None and n.status == "A"
        }
    if not have_values(noisy):
        return {}
    tree = {key: [row.key for row in template.children(key)] for key in noisy}
    return dict(make_additive(tree, (TOTAL,), {key: number.value or 0.0 for key, number in noisy.items()}))


NOTICES = Template(
    "4_notices",
    (*LEADING, ILLEGAL, OTHERS),
    (
        "Number of notices received ",
        "Number of notices received from Trusted flaggers",
        "Number of specific items of information included in the total number of notices",
        "Number of specific items of information included in the total number of notices by Trusted Flaggers "
        f"{TF}",
        "Median time to take action",
        f"Median time to take action {TF}",
        "Number of actions taken on the basis of the law",
        f"Number of actions taken on the basis of the law {TF}",
        "Number of actions taken on the basis of the terms and conditions of the service",
        f"Number of actions taken on the basis of the terms and conditions of the service {TF}",
    ),
    (
        "Contextual information on Number of notices received ",
        "Contextual information on Number of notices received from Trusted flaggers",
        "Contextual information on Number of specific items of information included in the total number of notices",
        "Contextual information on Number of specific items of information included in the total number of notices by "
        f"Trusted Flaggers {TF}",
        "Contextual information on Median time to take action",
        f"Contextual information on Median time to take action {TF}",
        "Contextual information on Number of actions taken on the basis of the law",
        f"Contextual information on Number of actions taken on the basis of the law {TF}",
        "Contextual information on Number of actions taken on the basis of the terms and conditions of the service",
        "Contextual information on Number of actions taken on the basis of the terms and conditions of the service "
        f"{TF}",
    ),
    tuple(category_rows(OF_NOTICES, "Only for providers of hosting services, including online platforms")),
)
NOTICE_QUESTIONS = {
    NOTICES.measures[4]: ColumnQuestion("median_hours", NOTICE),
    NOTICES.measures[5]: ColumnQuestion("median_hours", FLAGGER),
    NOTICES.measures[6]: ColumnQuestion("actions", f"{NOTICE}&{LAW}"),
    NOTICES.measures[7]: ColumnQuestion("actions", f"{FLAGGER}&{LAW}"),
    NOTICES.measures[8]: ColumnQuestion("actions", f"{NOTICE}&{TERMS}"),
    NOTICES.measures[9]: ColumnQuestion("actions", f"{FLAGGER}&{TERMS}"),
}

MEASURES: dict[str, str] = {
    "Number of measures taken at the provider's own initiative ": "",
    "Number of measures taken after detection with solely automated means ": "automated_detection=YES",
    "Visibility restriction Removal": "restriction=VISIBILITY_CONTENT_REMOVED",
    "Visibility restriction Disable": "restriction=VISIBILITY_CONTENT_DISABLED",
    "Visibility restriction Demoted": "restriction=VISIBILITY_CONTENT_DEMOTED",
    "Visibility restriction Age restricted": "restriction=VISIBILITY_CONTENT_AGE_RESTRICTED",
    "Visibility restriction Interaction restricted": "restriction=VISIBILITY_CONTENT_INTERACTION_RESTRICTED",
    "Visibility restriction Labelled ": "restriction=VISIBILITY_CONTENT_LABELLED",
    "Visibility restriction Other": "restriction=VISIBILITY_OTHER",
    "Monetary restriction Suspension": "restriction=MONETARY_SUSPENSION",
    "Monetary restriction Termination": "restriction=MONETARY_TERMINATION",
    "Monetary restriction Other": "restriction=MONETARY_OTHER",
    "Provision of the service Suspension": "restriction=PROVISION_PARTIAL_SUSPENSION,PROVISION_TOTAL_SUSPENSION",
    "Provision of the service Termination": "restriction=PROVISION_PARTIAL_TERMINATION,PROVISION_TOTAL_TERMINATION",
    "Account restriction Suspension": "restriction=ACCOUNT_SUSPENDED",
    "Account restriction Termination": "restriction=ACCOUNT_TERMINATED",
}
OF_BOTH_GROUNDS = "Category of incompatibility with the provider's terms and conditions"
"""The name of this column in the official templates of both part 5 and part 6."""


def _own_initiative_part(name: str, title: str, ground: str) -> PartDefinition:
    template = Template(
        name,
        (*LEADING, OF_BOTH_GROUNDS, OTHERS),
        tuple(MEASURES),
        tuple(f"Contextual Information on {measure}" for measure in MEASURES),
        tuple(category_rows(OF_OWN_INITIATIVE, "All")),
    )
    questions = {
        column: ColumnQuestion("actions", "&".join(filter(None, ("source=VOLUNTARY", ground, restriction))))
        for column, restriction in MEASURES.items()
    }
    notes = (
        "Measures whose category was not recorded are not in the total, which is the sum of the categories.",
        "A decision with several restrictions counts once among the measures, and under no single restriction.",
        "Each column is made to add up on its own, so a small number in one may pass that of the measures beside it.",
        "Detection is what the statement of reasons says of it: by automated means, though perhaps not solely.",
    )
    return PartDefinition(
        template,
        title,
        "moderation",
        "actions",
        _fill_by_category(template, OF_OWN_INITIATIVE, questions),
        notes,
    )


def _leave_blank(inquiry: IndicatorQueries, coverage: Coverage, filled: PartCells) -> None:
    """Leave every number blank."""


ORDERS = Template(
    "3_member_states_orders",
    (*LEADING, ILLEGAL, OTHERS, "Scope"),
    ORDER_MEASURES := (
        "Number of orders to act against illegal content received",
        "Number of specific items of information included in the total number of orders to act against illegal content",
        "Median time to inform the authority of the receipt of the order to act against illegal content",
        "Median time to give effect to the order to act against illegal content",
        "Number of orders to provide information",
        "Median time to inform the authority of the receipt of the order to provide information",
        "Median time to give effect to the order to provide information",
    ),
    tuple(
        "Contextual information on " + (measure[0].lower() + measure[1:] if at < 2 else measure)
        for at, measure in enumerate(ORDER_MEASURES)
    ),
    tuple(chain.from_iterable(category_rows(OF_ORDERS, "All", scope=scope) for scope in (TOTAL, *STATES))),
)
PARTS_BY_CATEGORY = (
    PartDefinition(
        ORDERS, "Orders of Member States' authorities (Art. 15(1)(a))", "moderation", "actions", _leave_blank,
        ("Blank: moderation holds decisions of the platform, not orders of authorities.",),
    ),
    PartDefinition(
        NOTICES, "Notices (Art. 15(1)(b))", "moderation", "actions", _fill_by_category(NOTICES, OF_NOTICES, NOTICE_QUESTIONS),
        (
            "Blank are the numbers of notices and of items: moderation holds decisions, not notices.",
            "Actions are decisions that restricted something after a notice; median times are those of these decisions.",
            "Actions under OTHER_VIOLATION_TC, which has no row here, or without a category, are not in the total.",
        ),
    ),
    _own_initiative_part("5_own_initiative_illegal", "Own initiative, illegal content (Art. 15(1)(c))", LAW),
    _own_initiative_part("6_own_initiative_TC", "Own initiative, terms and conditions (Art. 15(1)(c))", TERMS),
)  # fmt: skip
