"""The argument DATASET of commands: its help lists the datasets of the catalogue."""

from __future__ import annotations

from typing import Annotated

import typer

from datasets.catalogue import DATASETS

DatasetName = Annotated[
    str, typer.Argument(metavar="DATASET", help=f"one of {', '.join(dataset.name for dataset in DATASETS)}")
]
