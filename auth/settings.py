"""Where the registry lives and in whose name it speaks."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


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
