"""The question: the one grammar of URL, JSON and Python, and what it means for a dataset.

    measure=actions,accounts   group_by=member_state,period   category=SCAMS_AND_FRAUD,VIOLENCE
    period=2026-01..2026-06    freq=day|week|month|quarter    category=ne:OTHER_VIOLATION_TC
    ratio=clicks/impressions   share=category:VIOLENCE        compare=member_state:DE,FR     level=keyword
    release=2026-06.1|latest   as_of=2026-07-15               confidence=0.95                labels=code|name|both
    sort=-actions,category     limit=10    cursor=...         shape=wide|long

`words` holds the words and what is refused, `question` a question that has been understood and its one spelling, `span`
the time it asks about, `parsing` the way from words to question.
"""

from __future__ import annotations
