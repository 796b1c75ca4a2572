"""Refusals that only HTTP has: a missing token, a missing scope, a request that is too long or malformed."""

from __future__ import annotations

from datasets.refusal import Refusal


class TokenMissing(Refusal):
    """No bearer token came with a request that needs one."""


class OutOfScope(Refusal):
    """The token is good, but what it may read does not include this."""


class UnknownFile(Refusal):
    """A file that the release's manifest does not name."""


class NotAcceptable(Refusal):
    """None of the media types that were asked for can be answered."""


class TooLarge(Refusal):
    """A body with more bytes than are accepted."""


class TooLong(Refusal):
    """A query with more bytes than are accepted."""


class Malformed(Refusal):
    """A request that is not written as HTTP and this API ask."""
