"""Every example in the documents for researchers works."""

import re
from pathlib import Path

import pytest

from datasets.release.format.status import STATUS
from datasets.release.query.vocabulary import QUESTION_PARAMETERS

GUIDE = (Path(__file__).parents[3] / "docs" / "asking.md").read_text()
EXAMPLES = re.findall(r"^GET (\S+)$", GUIDE, re.M)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_of_the_guide_is_answered(client, example):
    assert client.get(example).status_code == 200, client.get(example).text


@pytest.mark.parametrize(("path", "body"), re.findall(r"^POST (\S+) (.+)$", GUIDE, re.M))
def test_an_example_of_a_body_is_answered(client, path, body):
    assert client.post(path, content=body).status_code == 200


def test_the_guide_names_every_parameter_and_every_status():
    assert len(EXAMPLES) > 8
    for word in (*QUESTION_PARAMETERS, "format"):
        assert f"| `{word}` |" in GUIDE, word
    for status, meaning in STATUS.items():
        assert f"| `{status}` | {meaning} |" in GUIDE
