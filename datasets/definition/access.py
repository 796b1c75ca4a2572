"""What the public catalogue says about a dataset besides its structure: access, and the risks it helps to study."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Risk:
    """A systemic risk that can be studied with the dataset, and the measure against that risk.

    `risk_law` names the place in Art. 34(1) DSA, `measure_law` that in Art. 35(1).
    """

    risk: str
    risk_law: str
    measure: str
    measure_law: str


@dataclass(frozen=True, slots=True)
class Modality:
    """The suggested modality of access and its conditions (Delegated Regulation (EU) 2025/2050, Art. 6(4)(d))."""

    name: str
    title: str
    technical: str
    organisational: str
    legal: str


TOKEN_AGGREGATES = Modality(
    name="token_aggregates",
    title="Anonymised aggregates, through this interface, with a token",
    technical="Cells protected by zero-concentrated differential privacy, each with its standard error; TLS; a bearer token "
    "for each researcher; limits per project.",
    organisational="Each researcher is vetted by name; tokens are not shared; access ends with the reasoned request.",
    legal="Regulation (EU) 2022/2065, Art. 40(4) and (8); the aggregates are no personal data, the list of who asks is.",
)
