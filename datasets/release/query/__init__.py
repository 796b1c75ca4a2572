"""The question: one grammar for URL, JSON and Python, and what it means for a dataset.

    measure=actions,accounts   group_by=member_state,period   category=SCAMS_AND_FRAUD,VIOLENCE
    period=2026-01..2026-06    freq=day|week|month|quarter    category=ne:OTHER_VIOLATION_TC
    ratio=clicks/impressions   share=category:VIOLENCE        compare=member_state:DE,FR     level=keyword
    release=2026-06.1|latest   as_of=2026-07-15               confidence=0.95                labels=code|name|both
    sort=-actions,category     limit=10    cursor=...         shape=wide|long

`vocabulary` holds the parameters and the refusals, `question` a parsed question and its canonical spelling, `span` the time
it asks about, `figures` the numbers it asks for. `parsing` puts a question together from its parameters; the other
modules each parse some of them.
"""

from __future__ import annotations
