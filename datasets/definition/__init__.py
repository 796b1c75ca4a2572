"""The classes that declare a dataset: code lists, dimensions, measures, and the dataset itself.

Declarations are data. Each checks itself when it is created, so a wrong one fails at import time with a
sentence that says what is wrong and what would be right.
"""

from __future__ import annotations

from datasets.definition.access import TOKEN_AGGREGATES, Modality, Risk
from datasets.definition.codelist import Code, CodeList, DaysOfMonth, WeeksOfMonth
from datasets.definition.dataset import Dataset
from datasets.definition.derived import Band, Derived, Median, Rate, Share
from datasets.definition.dimension import Dimension, Level
from datasets.definition.measure import (
    Diagnostics,
    EventMeasure,
    Measure,
    PrivacyUnit,
    SumMeasure,
    UnitMeasure,
    Value,
)
from datasets.definition.rules import RESERVED, DefinitionError
from datasets.definition.workload import Cuboid, Workload, cuboid_of, up_to

__all__ = [
    "RESERVED", "TOKEN_AGGREGATES", "Band", "Code", "CodeList", "Cuboid", "Dataset", "DaysOfMonth", "DefinitionError",
    "Derived", "Diagnostics", "Dimension", "EventMeasure", "Level", "Measure", "Median", "Modality", "PrivacyUnit", "Rate",
    "Risk", "Share", "SumMeasure", "UnitMeasure", "Value", "WeeksOfMonth", "Workload", "cuboid_of", "up_to",
]  # fmt: skip
