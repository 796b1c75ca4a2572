"""A small dataset with everything a declaration can have: nested levels, every kind of measure, a calendar."""

from fractions import Fraction

from datasets.definition import (
    Band,
    Code,
    CodeList,
    Dataset,
    DaysOfMonth,
    Diagnostics,
    Dimension,
    EventMeasure,
    Level,
    Median,
    PrivacyUnit,
    Rate,
    Share,
    SumMeasure,
    UnitMeasure,
    Value,
    up_to,
)
from datasets.period import Month

JUNE = Month(2026, 6)

KIND = CodeList(
    "kind", "Kinds", "for tests", (Code("fruit", "Fruit"), Code("root", "Root"), Code("unknown", "Unknown"))
)
PLANT = CodeList(
    "plant",
    "Plants",
    "for tests",
    (
        Code("apple", "Apple", "fruit"),
        Code("pear", "Pear", "fruit"),
        Code("plum", "Plum", "fruit"),
        Code("beet", "Beet", "root"),
        Code("carrot", "Carrot", "root"),
        Code("unknown", "Unknown", "unknown"),
        Code("other", "Other", "unknown"),
    ),
    within=KIND,
)
STATE = CodeList(
    "state", "States", "for tests", (Code("DE", "Germany"), Code("FR", "France"), Code("unknown", "Unknown"))
)


def tiny_dataset() -> Dataset:
    """As little as a declaration can have: builds of it are quick."""
    return Dataset(
        name="seeds",
        title="Seeds",
        version=1,
        grain="one crate",
        unit=PrivacyUnit("the gardener"),
        dimensions=(Dimension("state", "Where", STATE), Dimension("day", "When", DaysOfMonth())),
        measures=(EventMeasure("crates", "Crates", rows_per_unit=3, publish=up_to(1), share=Fraction(1)),),
        rho_per_month=Fraction(1, 100),
        diagnostics=Diagnostics(Fraction(1, 1000), rows_per_unit=5),
    )


def small_dataset(rho: Fraction = Fraction(1, 10)) -> Dataset:
    every = up_to(2).finer("plant", 2)
    return Dataset(
        name="harvest",
        title="Harvest",
        version=1,
        grain="one crate",
        unit=PrivacyUnit("the gardener"),
        dimensions=(
            Dimension("kind", "What grew", KIND, finer=(Level("plant", PLANT),)),
            Dimension("state", "Where", STATE),
            Dimension("day", "When", DaysOfMonth()),
        ),
        values=(Value("sold", "Whether it was sold"), Value("cents", "Its price", kind="integer")),
        measures=(
            EventMeasure("crates", "Crates", rows_per_unit=3, publish=every, share=Fraction(1, 4)),
            EventMeasure("sales", "Sold", rows_per_unit=2, publish=up_to(1), share=Fraction(1, 4), where="sold"),
            SumMeasure(
                "takings", "Takings", value="cents", lower=0, upper=100, counted_by="sales",
                publish=up_to(1), share=Fraction(1, 4),
            ),
            UnitMeasure("gardeners", "Gardeners", publish=every, share=Fraction(1, 4)),
        ),
        derived=(
            Share("fruit_share", "Share of fruit", of="crates", level="kind", codes=("fruit",)),
            Share(
                "apple_share", "Share of apples among apples and pears", of="crates", level="plant",
                codes=("apple",), among=("apple", "pear"),
            ),
            Rate("sale_rate", "Sold for each crate", "sales", "crates"),
            Rate("price", "Taken for each sale", "takings", "sales"),
            Median(
                "middle_state", "A state as a number, for show", of="crates", level="state",
                bands=(Band("DE", 0, 2), Band("FR", 2, 3), Band("unknown", 3)),
            ),
        ),
        rho_per_month=rho,
        diagnostics=Diagnostics(Fraction(1, 100), rows_per_unit=5),
    )  # fmt: skip
