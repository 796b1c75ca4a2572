"""One shape for each dataset; a dataset without one gets even weights."""

from __future__ import annotations

from datasets.build.events.shape import Shape
from datasets.build.events.shapes.ads import ADS
from datasets.build.events.shapes.moderation import MODERATION
from datasets.build.events.shapes.recommendations import RECOMMENDATIONS

SHAPES: dict[str, Shape] = {"moderation": MODERATION, "ads": ADS, "recommendations": RECOMMENDATIONS}
