"""BuildSettings: where a build finds its folders, ledger and caps, from environment variables `DAYLIGHT_*`."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from pydantic import field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from datasets.privacy.ledger import Caps


class BuildSettings(BaseSettings):
    """Folders, ledger and caps of a build. Folders that are not set are under `home`.

    `private_dir` holds what must never be published: the ledger, the salt, quarantined rows, checkpoints.
    """

    model_config = SettingsConfigDict(
        env_prefix="DAYLIGHT_", env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )

    home: Path = Path("var")
    releases_dir: Path | None = None
    private_dir: Path | None = None
    ledger_url: str | None = None
    rho_cap_month: Fraction = Caps().month
    rho_cap_year: Fraction = Caps().year
    rho_cap_month_organisations: Fraction = Caps().organisation_month
    rho_cap_year_organisations: Fraction = Caps().organisation_year

    @field_validator(
        "rho_cap_month",
        "rho_cap_year",
        "rho_cap_month_organisations",
        "rho_cap_year_organisations",
        mode="before",
    )
    @classmethod
    def _exact(cls, value: object) -> Fraction:
        try:
            rho = Fraction(str(value))
        except (ValueError, ZeroDivisionError):
            raise ValueError(
                f"{str(value)[:40]!r} is not a rho; write a fraction such as 1/2 or 0.5"
            ) from None
        if rho <= 0:
            raise ValueError(f"{rho} is not above zero; write a fraction such as 1/2 or 0.5")
        return rho

    @property
    def releases(self) -> Path:
        return self.releases_dir or self.home / "releases"

    @property
    def private(self) -> Path:
        return self.private_dir or self.home / "private"

    @property
    def ledger(self) -> str:
        return self.ledger_url or f"sqlite:///{self.private / 'ledger.sqlite'}"

    @property
    def caps(self) -> Caps:
        return Caps(
            self.rho_cap_month,
            self.rho_cap_year,
            self.rho_cap_month_organisations,
            self.rho_cap_year_organisations,
        )
