"""Where the registry lives and in whose name it speaks."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

TWO_PEOPLE = frozenset({"project-approval", "release-withdrawal"})
"""Acts that may be set to need two people."""


class RegistrySettings(BaseSettings):
    """Settings of the registry, from `DAYLIGHT_*` in the environment.

    Everything lives under `home` unless it is set otherwise. `registry_url` is an SQLAlchemy address of an
    SQLite file (`sqlite:///PATH`) or of PostgreSQL (`postgresql+psycopg://USER@HOST/DATABASE`); it may hold
    a password and is therefore never printed.
    """

    model_config = SettingsConfigDict(
        env_prefix="DAYLIGHT_", env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    home: Path = Path("var")
    registry_url: str = Field(
        default_factory=lambda known: f"sqlite:///{known['home'] / 'registry.sqlite'}", repr=False
    )
    keys_dir: Path = Field(default_factory=lambda known: known["home"] / "keys")
    issuer: str = Field(default="https://daylight.local", min_length=1, max_length=200)
    audience: str = Field(default="daylight", min_length=1, max_length=200)
    four_eyes: str = ""

    @field_validator("four_eyes")
    @classmethod
    def _known_acts(cls, value: str) -> str:
        if unknown := sorted(_words(value) - TWO_PEOPLE):
            raise ValueError(f"{unknown[0][:40]!r} is none of {', '.join(sorted(TWO_PEOPLE))}")
        return value

    @property
    def two_people(self) -> frozenset[str]:
        """The acts that two people must agree to."""
        return _words(self.four_eyes)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.replace(",", " ").split())
