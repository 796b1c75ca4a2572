"""Settings of the API, read from the environment: `DAYLIGHT_*`."""

from __future__ import annotations

import os
from ipaddress import ip_network
from pathlib import Path

from limits import parse
from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

MIN_KEY_LENGTH = 32
"""Characters of a secret key: 128 bits if they are hexadecimal digits."""


class ApiSettings(BaseSettings):
    """Folders, the address to listen on, rate limits and quotas.

    Limits are written as `N/second|minute|hour|day`. Without `redis_url` they are counted in the process.
    """

    model_config = SettingsConfigDict(
        env_prefix="DAYLIGHT_", env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    home: Path = Path("var")
    releases_dir: Path = Field(default_factory=lambda known: known["home"] / "releases")
    cache_dir: Path = Field(default_factory=lambda known: known["home"] / "cache")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    proxies: str = ""
    """Addresses and networks of proxies whose X-Forwarded-For is trusted, separated by commas; none by default."""
    redis_url: str = Field(default="", repr=False)
    limit_open: str = "600/minute"
    limit_standard: str = "100/minute"
    limit_extended: str = "600/minute"
    limit_files: str = "6000/minute"
    limit_admin: str = "120/minute"
    limit_attempts: str = "20/minute"
    quota_rows: int = Field(default=50_000_000, ge=1)
    quota_bytes: int = Field(default=100 << 30, ge=1)
    cursor_key: str = Field(default="", repr=False)
    answers_mib: int = Field(default=64, ge=0)
    deadline_seconds: float = Field(default=10.0, gt=0)
    workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1)
    contact: str = "The publisher has not named a contact point here"
    publisher: str = "The platform"
    public_url: str = ""
    portal_url: str = "https://data-access.dsa.ec.europa.eu/"

    @property
    def base_url(self) -> str:
        """The address of the API for clients: used in citations and feeds, never in redirects."""
        return self.public_url or f"http://{self.host}:{self.port}"

    @field_validator(
        "limit_open", "limit_standard", "limit_extended", "limit_files", "limit_admin", "limit_attempts"
    )
    @classmethod
    def _validate_limit(cls, value: str) -> str:
        """One limit above zero: slowapi would ignore one that it cannot parse, and nothing would be limited."""
        try:
            limit = parse(value)
        except ValueError:
            raise ValueError(f"{value[:40]!r} is not a limit; write one such as 100/minute") from None
        if limit.amount < 1:
            raise ValueError(f"{value[:40]!r} allows nothing; write one such as 100/minute")
        return value

    @field_validator("cursor_key")
    @classmethod
    def _validate_cursor_key(cls, value: str) -> str:
        """A short key can be guessed, and then cursors and the seals of serving copies can be forged."""
        key = value.strip()  # a line break at its end would make it another key than on the other hosts
        if value and len(key) < MIN_KEY_LENGTH:
            raise ValueError(
                f"it is shorter than {MIN_KEY_LENGTH} characters; use those of openssl rand -hex 32"
            )
        return key

    @field_validator("proxies")
    @classmethod
    def _validate_proxies(cls, value: str) -> str:
        """Only networks: with `*`, every client could choose its address, and so its rate limit."""
        for each in filter(None, value.split(",")):
            try:
                ip_network(each.strip())
            except ValueError:
                raise ValueError(
                    f"{each[:40]!r} is not an address or a network; write such as 10.0.0.7 or 10.0.0.0/24"
                ) from None
        return value

    def limit_of(self, tier: str) -> str:
        """The limit of a project of this tier; an unknown tier gets the standard one."""
        return {"extended": self.limit_extended}.get(tier, self.limit_standard)
