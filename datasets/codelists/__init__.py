"""The closed code lists of the datasets, each with the law or the document that it comes from."""

from __future__ import annotations

from datasets.definition import Code, CodeList


def flat_list(
    name: str, title: str, source: str, labels: dict[str, str], unknown: str = "unknown"
) -> CodeList:
    """A code list with one level: these codes and labels, and at the end a code for unknown values.

    >>> [code.code for code in flat_list("answer", "Answers", "for show", {"yes": "Yes"})]
    ['yes', 'unknown']
    """
    codes = {**labels, unknown: labels.get(unknown, "Not known, or without a counterpart in the source")}
    return CodeList(name, title, source, tuple(Code(c, label) for c, label in codes.items()), unknown)
