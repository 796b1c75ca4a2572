"""Hundreds of malformed and forged tokens over HTTP: each is refused with the same answer, quickly and without a failure."""

import time
from datetime import UTC, datetime

import pytest

from auth.crypto.keys import private_key_file
from tests.api.conftest import AGGREGATES
from tests.auth.forgeries import FORGERIES
from tests.auth.forgeries.forge import Forge, read_elliptic_key

QUESTION = f"{AGGREGATES}?measure=actions"


@pytest.fixture(scope="module")
def forge(deployment):
    registry = deployment.registry
    active = {key.purpose: key for key in registry.keys.list() if key.status == "active"}
    private = {
        purpose: read_elliptic_key(private_key_file(registry.settings.keys_dir, key.kid))
        for purpose, key in active.items()
    }
    return Forge(
        good=deployment.token(deployment.project(tier="extended")),
        private=private["token"],
        public_pem=active["token"].public_pem,
        release_kid=active["release"].kid,
        release_private=private["release"],
        now=datetime.now(UTC).replace(microsecond=0),
    )


def altered(good):
    """The token with one character changed, at each of a hundred positions."""
    for place in range(0, len(good), max(1, len(good) // 100)):
        yield good[:place] + ("A" if good[place] != "A" else "B") + good[place + 1 :]


def test_three_hundred_forged_tokens_are_refused_and_a_good_one_is_accepted(deployment, forge):
    made = [family(forge) for family in FORGERIES.values()] + list(altered(forge.good))
    texts = [text for text in made if text.strip() != forge.good]  # blanks around a field are no part of it
    assert len(texts) >= 300
    statuses: dict[int, list[str]] = {}
    longest = 0.0
    with deployment.client(limit_attempts="1000000/minute", limit_extended="1000000/minute") as client:
        for text in texts:
            field = f"Bearer {text}".encode("utf-8", "surrogatepass")
            started = time.process_time()
            status = client.get(QUESTION, headers={"Authorization": field}).status_code
            longest = max(longest, time.process_time() - started)
            statuses.setdefault(status, []).append(text)
        good = client.get(QUESTION, headers={"Authorization": f"Bearer {forge.good}"})
    assert list(statuses) == [401], {status: texts[:2] for status, texts in statuses.items()}
    assert longest < 2, "seconds of CPU for one token"
    assert good.status_code == 200
