"""Settings of the registry: where its database and keys are, the issuer and audience of its tokens, dual control."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

DUAL_CONTROL_ACTIONS = frozenset({"project-approval", "release-withdrawal"})
"""Actions that can be set to need the consent of two persons."""


class RegistrySettings(BaseSettings):
    """Settings of the registry, from `DAYLIGHT_*` in the environment.

    Everything is stored under `home` unless a setting says otherwise. `registry_url` is an SQLAlchemy address of an
    SQLite file (`sqlite:///PATH`) or of PostgreSQL (`postgresql+psycopg://USER@HOST/DATABASE`); it may hold
    a password, so it is never printed.
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
    def _ensure_known_actions(cls, value: str) -> str:
        if unknown := sorted(_split_list(value) - DUAL_CONTROL_ACTIONS):
            raise ValueError(f"{unknown[0][:40]!r} is none of {', '.join(sorted(DUAL_CONTROL_ACTIONS))}")
        return value

    @property
    def dual_control_actions(self) -> frozenset[str]:
        """The actions that need the consent of two persons."""
        return _split_list(self.four_eyes)


def _split_list(text: str) -> frozenset[str]:
    return frozenset(text.replace(",", " ").split())
