"""What relies on the internals of limits, slowapi and uvicorn: a test here fails if a new version changes them."""

import asyncio
import hashlib
import inspect
import re
from importlib.metadata import version
from pathlib import Path

import pytest
from fastapi import Request
from limits import parse
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter
from slowapi import Limiter
from slowapi.errors import RateLimitExceeded
from uvicorn import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from api.access.slowapi_internals import count_in_memory, counted_limit, limited_dependency
from api.access.storage import SweepingMemoryStorage
from api.server.protocol import StrictHttpProtocol

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


@pytest.mark.parametrize("package", ["limits", "slowapi", "uvicorn"])
def test_its_version_has_an_upper_bound_below_the_next_minor_version(package):
    (bound,) = re.findall(rf'"{package}>=[\d.]+,<([\d.]+)"', PROJECT.read_text())
    installed = numbers(version(package))
    assert installed < numbers(bound) <= (installed[0], installed[1] + 1)


def numbers(text):
    return tuple(map(int, text.split(".")))


READ = {
    MemoryStorage: "29ef0c59d59e",
    Limiter: "35e9d479302e",
    HttpToolsProtocol: "18fdf324b11b",
    RequestResponseCycle: "e67d470d435d",
    FlowControl: "126debcdaa89",
}
"""The beginning of the SHA-256 of the source of each class when it was last read."""


@pytest.mark.parametrize("kind", READ, ids=lambda kind: kind.__name__)
def test_its_source_is_what_was_read_when_our_code_was_written(kind):
    digest = hashlib.sha256(inspect.getsource(kind).encode()).hexdigest()[:12]
    assert digest == READ[kind], f"{kind.__name__} changed: check what relies on it, then note the new digest"


def test_limits_finds_our_storage_by_its_uri():
    assert isinstance(storage_from_string(SweepingMemoryStorage.URI), SweepingMemoryStorage)


def test_a_negative_cost_takes_a_hit_back():
    limiter, limit = SlidingWindowCounterRateLimiter(SweepingMemoryStorage()), parse("2/12hour")
    assert [limiter.hit(limit, "a") for _ in range(3)] == [True, True, False]
    limiter.hit(limit, "a", cost=-1)
    assert limiter.get_window_stats(limit, "a").remaining == 1


def key(request):
    return "somebody"


def wait_for(counting):
    async def wait():
        await counting

    asyncio.run(wait())


def request():
    return Request({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []})


@pytest.fixture
def limiter():
    return Limiter(
        key_func=key,
        strategy="sliding-window-counter",
        storage_uri=SweepingMemoryStorage.URI,
        in_memory_fallback_enabled=True,
        headers_enabled=False,
    )


def test_slowapi_leaves_the_limit_it_counted_and_its_keys_on_the_request(limiter):
    dependency, asked = limited_dependency(limiter, "a", "2/12hour", "scope", key), request()
    assert counted_limit(asked) is None
    wait_for(dependency(asked))
    counted = counted_limit(asked)
    assert counted is not None
    item, keys = counted
    assert (item, keys) == (parse("2/12hour"), ["somebody", "scope"])
    assert limiter.limiter.get_window_stats(item, *keys).remaining == 1


def test_slowapi_counts_against_the_limit_of_the_dependency_of_this_name(limiter):
    one = limited_dependency(limiter, "one", "1/12hour", "one", key)
    two = limited_dependency(limiter, "two", "2/12hour", "two", key)
    wait_for(one(request()))
    with pytest.raises(RateLimitExceeded):
        wait_for(one(request()))
    for _ in range(2):
        wait_for(two(request()))


def test_slowapi_computes_no_signature_for_a_request(limiter, monkeypatch):
    dependency, asked = limited_dependency(limiter, "a", "2/12hour", "scope", key), request()
    monkeypatch.setattr(inspect, "_signature_from_function", lambda *_, **__: 1 / 0)
    wait_for(dependency(asked))
    assert counted_limit(asked) is not None


def test_slowapi_counts_in_its_fallback_after_it_is_told_that_redis_failed(limiter):
    first = limiter.limiter
    count_in_memory(limiter)
    assert limiter.limiter is limiter._fallback_limiter is not first


def test_uvicorn_has_every_method_that_is_overridden_with_the_same_parameters():
    overridden = {
        name for name, member in vars(StrictHttpProtocol).items() if callable(member) and hasattr(HttpToolsProtocol, name)
    }  # fmt: skip
    assert overridden >= {
        "connection_made", "connection_lost", "data_received", "on_message_begin", "on_header", "on_headers_complete",
        "on_body", "on_message_complete", "on_response_complete", "send_400_response",
    }  # fmt: skip
    for name in overridden:
        ours, theirs = (
            inspect.signature(getattr(kind, name)) for kind in (StrictHttpProtocol, HttpToolsProtocol)
        )
        assert list(ours.parameters) == list(theirs.parameters), name


def test_no_attribute_of_ours_hides_one_of_uvicorns():
    async def attributes(kind):
        config = Config(lambda *_: None, loop="none", http=kind, ws="none", log_config=None)
        config.load()
        return set(vars(kind(config, ServerState(), {}))) | set(dir(HttpToolsProtocol))

    ours = {name for name in vars(StrictHttpProtocol) if not callable(getattr(StrictHttpProtocol, name))}
    assert not (ours - {"__doc__", "__module__", "__annotations__"}) & asyncio.run(
        attributes(HttpToolsProtocol)
    )
