"""One question asked in thousands of ways has one result: averaging repetitions removes no noise.

See docs/privacy/attacks.md#one-question-one-answer.
"""

import os
import random

import pytest

from datasets.release.answer.grid import NotPublished
from tests.datasets.pipeline.small_dataset import KIND, PLANT, STATE

WAYS = int(os.environ.get("DAYLIGHT_WAYS", "400"))
CODES = {
    name: [code.code for code in codes]
    for name, codes in (("kind", KIND), ("plant", PLANT), ("state", STATE))
}


def random_parameters(draw):
    """Parameters of a question whose rows add up to June's crates of fruit in Germany and France."""
    groups = draw.sample(["kind", "plant", "state"], draw.randrange(3))
    if {"kind", "plant"} <= set(groups):
        groups.remove("kind")
    fruit = draw.choice([("kind", "fruit"), ("kind", "ne:root,unknown"), ("plant", "apple,pear,plum")])
    states = draw.choice(["DE,FR", "FR,DE,FR", "ne:unknown"])
    parameters = {"measure": draw.choice(["crates", "crates,gardeners"]), fruit[0]: fruit[1], "state": states}
    if groups:
        parameters["group_by"] = ",".join(groups)
    parameters["period"] = draw.choice(["2026-06", "2026-06-01..2026-06-30"])
    parameters |= draw.choice(
        [{}, {"confidence": "0.5"}, {"labels": "both"}, {"sort": "-crates"}, {"shape": "wide"}]
    )
    return parameters


def test_one_question_asked_in_many_ways_has_one_result(ask):
    draw, sums, ways = random.Random(3), [], set()
    for _ in range(WAYS):
        parameters = random_parameters(draw)
        try:
            answer = ask(**parameters)
        except NotPublished:
            continue
        at = [column.name for column in answer.columns].index("crates")
        sums.append(sum(row[at] for row in answer.rows))
        ways.add(answer.meta["query"])
    assert len(ways) > 20
    assert len(sums) > 0.5 * WAYS
    assert max(sums) - min(sums) < 1e-7
    assert sums[0] == pytest.approx(ask(measure="crates", kind="fruit", state="DE,FR").rows[0][1], abs=1e-7)


def test_the_same_parameters_in_any_order_give_the_same_result_to_the_last_bit(ask):
    draw = random.Random(4)
    parameters = {
        "measure": "crates",
        "group_by": "state",
        "kind": "fruit,root",
        "period": "2026-06",
        "sort": "-crates",
    }
    answers = {
        str(ask(**dict(draw.sample(list(parameters.items()), len(parameters)))).rows) for _ in range(50)
    }
    assert len(answers) == 1
