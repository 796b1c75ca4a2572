"""Logs of the Open Bandit Dataset: recommendations shown on a fashion marketplace, and whether they were clicked.

Saito, Aihara, Matsutani and Narita (2021), "Open Bandit Dataset and Pipeline", NeurIPS Datasets and Benchmarks. The logs
do not identify recipients: rows with the same four hashed user features count as one recipient. They have no event ids
either, and the column without a name counts rows, so the id is made of the contents of the row.
"""

from __future__ import annotations

from datasets.definition import Dataset
from datasets.pipeline.importers.event_writer import ColumnMapping, content_id_sql
from datasets.pipeline.importers.layout import SourceLayout
from datasets.pipeline.importers.sources import ensure_columns

USER_FEATURES = tuple(f"user_feature_{number}" for number in range(4))
REQUIRED = ("timestamp", "item_id", "position", "click", "propensity_score", *USER_FEATURES)


class OpenBandit:
    """The format `open-bandit`."""

    name = "open-bandit"
    dataset = "recommendations"
    suffixes = (".csv", ".zip")
    delimiter = ","
    encoding = "utf-8-sig"

    def layout(self, dataset: Dataset, file: str, header: tuple[str, ...]) -> SourceLayout:
        """How to read a log. Raises UnreadableFile."""
        ensure_columns(file, header, REQUIRED, "Open Bandit log")
        return SourceLayout(
            schema="Open Bandit log",
            unit="The combination of the four hashed user features: the source names no recipient.",
            mapping=_open_bandit_mapping(),
        )


def _open_bandit_mapping() -> ColumnMapping:
    features = ", ".join(f"coalesce({feature}, '')" for feature in USER_FEATURES)
    return ColumnMapping(
        columns={
            "event_id": content_id_sql(REQUIRED),
            "unit_id": f"sha256(concat_ws(chr(31), {features}))",
            "unit_kind": "'person'",
            "occurred_at": "timestamp",
            "position_band": "CASE position WHEN '1' THEN '1' WHEN '2' THEN '2-3' WHEN '3' THEN '2-3' ELSE '?' END",
            "clicked": "click",
        },
        faults=(
            (
                f"concat({features}) = ''",
                f"null id: {USER_FEATURES[0]} to {USER_FEATURES[-1]} are all empty",
            ),
        ),
        reads=REQUIRED,
        numbers_equal_rows=True,
    )
