"""One shape for each dataset; a dataset without one gets equal weights."""

from __future__ import annotations

from datasets.pipeline.events.shape import EventShape
from datasets.pipeline.events.shapes.ads import ADS
from datasets.pipeline.events.shapes.moderation import MODERATION
from datasets.pipeline.events.shapes.recommendations import RECOMMENDATIONS

SHAPES: dict[str, EventShape] = {"moderation": MODERATION, "ads": ADS, "recommendations": RECOMMENDATIONS}
