"""Small source files, and what an import makes of them."""

import csv
import json
from dataclasses import dataclass

import pyarrow.parquet as pq
import pytest

from datasets.catalogue import find_dataset
from datasets.period import Month
from datasets.pipeline.importers.formats import find_format
from datasets.pipeline.importers.importing import import_events

FULL = (
    "uuid decision_visibility decision_visibility_other end_date_visibility_restriction decision_monetary "
    "decision_monetary_other end_date_monetary_restriction decision_provision end_date_service_restriction "
    "decision_account end_date_account_restriction account_type decision_ground decision_ground_reference_url "
    "illegal_content_legal_ground illegal_content_explanation incompatible_content_ground "
    "incompatible_content_explanation incompatible_content_illegal category category_addition category_specification "
    "category_specification_other content_type content_type_other content_language content_date content_id_ean "
    "territorial_scope application_date decision_facts source_type source_identity automated_detection "
    "automated_decision platform_name platform_uid created_at"
).split()
"""The 38 columns in force since 1 July 2025, in the order of the dumps (StatementExportTrait.php)."""

LIGHT = [
    column
    for column in FULL
    if column
    not in {
        "illegal_content_explanation",
        "incompatible_content_explanation",
        "territorial_scope",
        "decision_facts",
    }
]
BEFORE_JULY_2025 = [column for column in FULL if column != "content_id_ean"]


def statement(number=1, **changes):
    """A statement of reasons as the database would dump it."""
    return {
        "uuid": f"00000000-0000-4000-8000-{number:012}",
        "decision_visibility": '["DECISION_VISIBILITY_CONTENT_REMOVED"]',
        "decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT",
        "category": "STATEMENT_CATEGORY_SCAMS_AND_FRAUD",
        "content_type": '["CONTENT_TYPE_PRODUCT"]',
        "territorial_scope": '["DE"]',
        "decision_facts": 'Found by a "robot", and removed',
        "source_type": "SOURCE_VOLUNTARY",
        "automated_detection": "Yes",
        "automated_decision": "AUTOMATED_DECISION_FULLY",
        "created_at": "2025-07-01 00:03:33",
        **changes,
    }


def write_csv(path, rows, columns=FULL, *, encoding="utf-8", newline="\n"):
    """Rows as CSV, quoted as PHP's fputcsv does: only where needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=encoding, newline="") as stream:
        writer = csv.DictWriter(stream, columns, restval="", extrasaction="ignore", lineterminator=newline)
        writer.writeheader()
        writer.writerows(rows)
    return path


@dataclass
class Made:
    """What an import left behind."""

    events: list
    quarantine: list
    totals: dict
    source: object
    remarks: tuple


@pytest.fixture
def imported(tmp_path):
    """Import sources and read back events, quarantine and totals."""

    def run(
        sources, dataset="moderation", form="statements-of-reasons", month="2025-07", mapping=None, **options
    ):
        declared = find_dataset(dataset)
        paths = sources if isinstance(sources, list) else [sources]
        done = import_events(
            declared,
            Month.parse(month),
            find_format(form, declared, mapping),
            paths,
            tmp_path / "events",
            **options,
        )
        bad = done.quarantine / "import.parquet"
        return Made(
            [
                row
                for path in sorted(done.folder.glob("*.parquet"))
                for row in pq.read_table(path).to_pylist()
            ],
            pq.read_table(bad).to_pylist() if bad.exists() else [],
            json.loads((done.quarantine / "totals.json").read_text()),
            done.source,
            done.remarks,
        )

    return run
