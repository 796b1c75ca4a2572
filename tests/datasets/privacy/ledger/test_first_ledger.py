"""What version 0.1.0 wrote goes on verifying, byte for byte: entries, the published ledger, and manifests."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256

import pytest

from datasets.privacy.ledger import (
    Caps,
    Entry,
    LedgerBroken,
    Spend,
    canonical_members,
    ensure_chain,
    head,
    reserve,
)
from datasets.release.format.ledger import entries_of, ledger_document
from datasets.release.format.manifest import parse_manifest
from datasets.release.format.signed import SignedDocument, read_signed
from datasets.release.format.verification import ReleaseDamaged
from tests.datasets.release.small_release import verify
from tests.frozen import FIRST, FIRST_HEAD

PUBLISHED = read_signed(FIRST / "ledger", verify)
FIRST_MEMBERS = "artefact_hash dataset input_hash month nano_rho of plan_hash previous reason release rows_per_unit seq state time unit"


@pytest.fixture
def entries() -> tuple[Entry, ...]:
    return entries_of(PUBLISHED)


def published(document: object) -> SignedDocument:
    return SignedDocument(json.dumps(document).encode(), "")


def test_a_published_ledger_verifies_though_twelve_months_across_new_year_have_more_than_the_cap(
    entries: tuple[Entry, ...],
) -> None:
    ensure_chain(entries, Caps())
    assert (len(entries), head(entries)) == (19, FIRST_HEAD)


def test_its_entries_are_published_again_byte_for_byte(entries: tuple[Entry, ...]) -> None:
    again, before = ledger_document(entries, Caps()), PUBLISHED.text
    block = before[before.index(b' "entries"') : before.index(b' "head"')]
    assert block in again
    assert all(" ".join(sorted(canonical_members(entry))) == FIRST_MEMBERS for entry in entries)


def test_its_hashes_can_be_computed_without_our_code(entries: tuple[Entry, ...]) -> None:
    """SHA-256 of the other members as JSON with sorted names and without blanks, for old and new entries alike."""
    spend = Spend("ads", "2026-09", "person, r", "", 1, "p", role="r", organisation_nano_rho=2)
    both = [*entries, reserve(entries, spend, caps=Caps(), time="t")]
    listed = json.loads(ledger_document(both, Caps()))["entries"]
    for each in listed:
        stated = each.pop("hash")
        text = json.dumps(each, sort_keys=True, separators=(",", ":"))
        assert sha256(text.encode()).hexdigest() == stated
    new = {"class": "person", "role": "r", "organisation_nano_rho": 2}
    assert {name: listed[-1][name] for name in new} == new


def test_its_entries_keep_the_caps_they_were_made_under_and_those_of_a_calendar_year(
    entries: tuple[Entry, ...],
) -> None:
    ensure_chain(entries, replace(Caps(), month=Caps().month / 2, year=Caps().year / 2))
    more = replace(entries[-1], seq=20, previous=FIRST_HEAD, month="2025-07", nano_rho=1)
    too_much = replace(more, nano_rho=43_000_000)
    ensure_chain([*entries, more], Caps())
    with pytest.raises(LedgerBroken, match="spends 0.501 rho on the month 2025-07, over the cap of 0.5"):
        ensure_chain([*entries, too_much], Caps())
    filling = replace(more, month="2025-01", nano_rho=211_000_000)
    with pytest.raises(LedgerBroken, match="spends 3.001 rho on the year 2025, over the cap of 3"):
        ensure_chain([*entries, filling], Caps())


def test_no_entry_without_a_class_follows_one_that_states_it(entries: tuple[Entry, ...]) -> None:
    """Otherwise twelve months could be spent by the earlier rule."""
    spend = Spend("ads", "2026-09", "person, r", "", 1, "p", role="r")
    new = reserve(entries, spend, caps=Caps(), time="t")
    old = replace(entries[-1], seq=21, previous=new.hash)
    with pytest.raises(LedgerBroken, match="ledger entry 21: states no class"):
        ensure_chain([*entries, new, old], Caps())


@pytest.mark.parametrize(
    "edit",
    [
        {"class": ""},
        {"class": "person"},
        {"role": ""},
        {"organisation_nano_rho": 0},
        {"unit_class": "person"},
        {"hash": "0" * 64},
        {"more": 1},
        {"nano_rho": "458000000"},
    ],
    ids=str,
)
def test_no_member_stands_in_a_published_entry_that_its_hash_does_not_cover(edit: dict[str, object]) -> None:
    document = json.loads(PUBLISHED.text)
    assert len(entries_of(published(document))) == 19
    document["entries"][0].update(edit)
    with pytest.raises(ReleaseDamaged):
        entries_of(published(document))


def test_a_published_ledger_states_its_own_head() -> None:
    document = json.loads(PUBLISHED.text) | {"head": "0" * 64}
    with pytest.raises(ReleaseDamaged):
        entries_of(published(document))


def test_a_manifest_parses_and_is_the_bytes_that_were_signed() -> None:
    text = (FIRST / "manifest.json").read_bytes()
    verify(text, (FIRST / "manifest.jws").read_text().strip())
    manifest = parse_manifest(text)
    assert manifest.canonical() == text
    assert manifest.privacy.twelve_months is None
