"""Statements of reasons, as the DSA Transparency Database dumps them: both schemas, full and light.

Regulation (EU) 2022/2065, Art. 17 and 24(5). Where a statement holds several restrictions, content types or keywords, the
event says SEVERAL: it counts once. The dumps name no account, so each statement is a unit of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from datasets.codelists import geography, statement
from datasets.definition import Dataset
from datasets.pipeline.engine.sql import quote_name, string_literal
from datasets.pipeline.importers.event_writer import ColumnMapping
from datasets.pipeline.importers.layout import SourceLayout
from datasets.pipeline.importers.sources import UnreadableFile, ensure_columns

REQUIRED = tuple(
    "uuid decision_visibility decision_monetary decision_provision decision_account account_type decision_ground category "
    "category_specification content_type source_type automated_detection automated_decision created_at".split()
)
"""The columns that are read, in every schema and in light dumps too."""

FULL_ONLY = (
    "illegal_content_explanation",
    "incompatible_content_explanation",
    "territorial_scope",
    "decision_facts",
)
SINCE_JULY_2025 = "content_id_ean"

UNIT = "The statement of reasons: the source names no account, so each statement is a unit of its own."

_VISIBILITY, _RESTRICTIONS, _CONTENT_TYPES, _KEYWORDS, _CATEGORY, _SCOPE = (
    quote_name(f"@{name}") for name in "visibility restrictions content_types keywords category scope".split()
)

_NOTES = (
    "An event occurred when the database recorded its statement: created_at.",
    "A statement with several restrictions, content types or keywords counts once, as SEVERAL.",
)


class StatementsOfReasons:
    """The format `statements-of-reasons`."""

    name = "statements-of-reasons"
    dataset = "moderation"
    suffixes = (".csv", ".zip")
    delimiter = ","
    encoding = "utf-8-sig"

    def layout(self, dataset: Dataset, file: str, header: tuple[str, ...]) -> SourceLayout:
        """The schema (one of two), full or light, and how to read it. Raises UnreadableFile."""
        ensure_columns(file, header, REQUIRED, "file of statements of reasons")
        full = _is_full(file, header)
        current = SINCE_JULY_2025 in header
        since = "in force since 2025-07-01" if current else "in force until 2025-06-30"
        return SourceLayout(
            schema=f"statements of reasons, {since}, {'full' if full else 'light'}",
            unit=UNIT,
            mapping=_statement_mapping(current=current, full=full),
            notes=_NOTES if current else (*_NOTES, *_notes_on_earlier_schema()),
        )


def _is_full(file: str, header: tuple[str, ...]) -> bool:
    there = [column in header for column in FULL_ONLY]
    if any(there) and not all(there):
        missing = next(column for column in FULL_ONLY if column not in header)
        raise UnreadableFile(f"{file} is neither a full nor a light dump: it lacks {missing!r} of the four columns "
                             f"{', '.join(FULL_ONLY)}")  # fmt: skip
    last = file.rsplit("/", 1)[-1]
    for word, full in (("-full", True), ("-light", False)):
        if word in last and full != all(there):
            raise UnreadableFile(
                f"{file} has the wrong name: it is named {word[1:]!r}, but has the columns of the other kind"
            )
    return all(there)


def _notes_on_earlier_schema() -> tuple[str, ...]:
    def without(table: Mapping[str, str | None]) -> str:
        return ", ".join(sorted(code for code, now in table.items() if now is None))

    return (
        "The schema in force until 30 June 2025 has other categories and keywords; renamed ones carry today's code. "
        f"Without a successor, and therefore UNKNOWN, are the categories {without(statement.CATEGORY_BEFORE_JULY_2025)}; "
        f"as OTHER count the keywords {without(statement.KEYWORD_BEFORE_JULY_2025)}.",
    )


def _statement_mapping(*, current: bool, full: bool) -> ColumnMapping:
    scope = {"member_state": _member_state_sql()} if full else {}
    return ColumnMapping(
        columns={
            "event_id": "uuid",
            "unit_id": "uuid",
            "unit_kind": "'person'",
            "occurred_at": "created_at",
            "keyword": _keyword_sql(),
            "restriction": _single_or_several_sql(_RESTRICTIONS),
            "ground": _strip_prefix_sql("decision_ground", "DECISION_GROUND_"),
            "content_type": _single_or_several_sql(_CONTENT_TYPES),
            "source": _strip_prefix_sql("source_type", "SOURCE_"),
            "automated_detection": "CASE lower(automated_detection) WHEN 'yes' THEN 'YES' WHEN 'no' THEN 'NO' "
            "ELSE nullif(automated_detection, '') END",
            "automated_decision": _strip_prefix_sql("automated_decision", "AUTOMATED_DECISION_"),
            "account_type": _or_unknown_sql(_strip_prefix_sql("account_type", "ACCOUNT_TYPE_")),
            **scope,
        },
        faults=tuple(
            (f"{values} IS NULL", f"unreadable: {column} is no JSON list of codes")
            for values, column in (
                (_VISIBILITY, "decision_visibility"), (_CONTENT_TYPES, "content_type"),
                (_KEYWORDS, "category_specification"), *(((_SCOPE, "territorial_scope"),) if full else ()),
            )
        ),
        intermediate={
            _VISIBILITY: _code_list_sql("decision_visibility", "DECISION_"),
            _RESTRICTIONS: f"list_distinct(list_filter(list_concat({_VISIBILITY}, ["
            + ", ".join(_strip_prefix_sql(f"decision_{kind}", "DECISION_") for kind in ("monetary", "provision", "account"))
            + "]), lambda code: code IS NOT NULL))",
            _CONTENT_TYPES: f"list_distinct({_code_list_sql('content_type', 'CONTENT_TYPE_')})",
            _CATEGORY: _category_sql(current=current),
            _KEYWORDS: f"list_distinct({_keywords_sql(current=current)})",
            **({_SCOPE: f"list_distinct({_code_list_sql('territorial_scope', '')})"} if full else {}),
        },
        reads=(*REQUIRED, "territorial_scope") if full else REQUIRED,
    )  # fmt: skip


def _strip_prefix_sql(column: str, prefix: str) -> str:
    """SQL for the code of a column without its constant prefix; NULL if it is empty. A value without the prefix stays
    unchanged and is not found in the code list."""
    return f"nullif(CASE WHEN starts_with({column}, '{prefix}') THEN {column}[{len(prefix) + 1}:] ELSE {column} END, '')"


def _or_unknown_sql(expression: str) -> str:
    return f"coalesce({expression}, '{statement.UNKNOWN}')"


def _code_list_sql(column: str, prefix: str) -> str:
    """SQL for the codes of a JSON list, without their prefix; NULL if it is not a list, empty if the column is empty."""
    return (
        f"CASE WHEN coalesce(trim({column}), '') IN ('', 'null') THEN []::VARCHAR[] "
        f"WHEN json_valid({column}) AND json_type({column}) = 'ARRAY' THEN "
        f"list_transform(json_extract_string({column}, '$[*]'), lambda code: {_strip_prefix_sql('code', prefix)}) END"
    )


def _single_or_several_sql(values: str) -> str:
    """SQL for the only value of a list; SEVERAL for several; NULL for none, which does not fit: the schema requires one."""
    return f"CASE len({values}) WHEN 0 THEN NULL WHEN 1 THEN {values}[1] ELSE '{statement.SEVERAL}' END"


def _rename_codes_sql(expression: str, cases: Mapping[str, str | None], gone: str) -> str:
    """SQL for `expression` with codes renamed by `cases`; codes without a successor become `gone`."""
    changed = {code: now for code, now in cases.items() if code != now}
    whens = " ".join(
        f"WHEN {string_literal(code)} THEN {string_literal(now or gone)}" for code, now in changed.items()
    )
    return f"CASE {expression} {whens} ELSE {expression} END"


def _category_sql(*, current: bool) -> str:
    code = _strip_prefix_sql("category", "STATEMENT_CATEGORY_")
    return (
        code if current else _rename_codes_sql(code, statement.CATEGORY_BEFORE_JULY_2025, statement.UNKNOWN)
    )


def _keywords_sql(*, current: bool) -> str:
    codes = _code_list_sql("category_specification", "KEYWORD_")
    if current:
        return codes
    renamed = _rename_codes_sql("code", statement.KEYWORD_BEFORE_JULY_2025, statement.OTHER)
    return f"list_transform({codes}, lambda code: {renamed})"


def _keyword_sql() -> str:
    """SQL for the leaf of the keyword tree. A keyword of another category becomes this category's OTHER; a keyword that
    does not exist does not fit."""
    known = [code for codes in statement.KEYWORDS.values() for code in codes]
    pairs = [f"{category}>{code}" for category, codes in statement.KEYWORDS.items() for code in codes]
    elsewhere = [*known, statement.OTHER, "STALKING"]
    leaf = f"{_CATEGORY} || '.%s'"
    return (
        f"CASE WHEN {_CATEGORY} IS NULL THEN NULL WHEN len({_KEYWORDS}) = 0 THEN {leaf % statement.UNSPECIFIED} "
        f"WHEN len({_KEYWORDS}) > 1 THEN {leaf % statement.SEVERAL} "
        f"WHEN {_CATEGORY} || '>' || {_KEYWORDS}[1] IN ({_string_literals(pairs)}) THEN {_KEYWORDS}[1] "
        f"WHEN {_KEYWORDS}[1] IN ({_string_literals(elsewhere)}) THEN {leaf % statement.OTHER} END"
    )


def _member_state_sql() -> str:
    """SQL for the territory: one country, EU (all 27), EEA (all 30), or several."""
    union = [code for code in geography.COUNTRIES if code not in geography.OUTSIDE_THE_UNION]
    strange = f"list_filter({_SCOPE}, lambda code: code IS NULL OR code NOT IN ({_string_literals(geography.COUNTRIES)}))"
    return (
        f"CASE WHEN len({_SCOPE}) = 0 THEN '{geography.MEMBER_STATE.unknown}' "
        f"WHEN len({strange}) > 0 THEN {strange}[1] "
        f"WHEN len({_SCOPE}) = 1 THEN {_SCOPE}[1] WHEN len({_SCOPE}) = {len(geography.COUNTRIES)} THEN 'EEA' "
        f"WHEN len({_SCOPE}) = {len(union)} AND list_has_all([{_string_literals(union)}], {_SCOPE}) THEN 'EU' "
        "ELSE 'several' END"
    )


def _string_literals(values: Iterable[str]) -> str:
    return ", ".join(string_literal(value) for value in values)
