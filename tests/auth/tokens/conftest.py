"""What tests of tokens share."""

from __future__ import annotations

from datetime import datetime

import pytest

from auth.errors import TokenRefused
from auth.registry import Registry
from tests.auth.conftest import NOW


def refusal_cause(registry: Registry, text: str, at: datetime = NOW) -> str:
    with pytest.raises(TokenRefused) as refused:
        registry.authenticator.principal(text, at)
    return refused.value.cause
