"""Who is let in, and from when on no more: the registry decides on every request."""

from __future__ import annotations

import dataclasses
import logging
import shutil
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import create_engine, make_url, text

from auth.errors import RegistryUnavailable, TokenRefused
from auth.registry import Registry, open_registry
from auth.settings import RegistrySettings
from tests.auth.conftest import NOW, ask, mandate, new_member, new_project

Attack = Callable[..., None]


def cause_of(registry: Registry, text: str, at: datetime = NOW) -> str:
    with pytest.raises(TokenRefused) as refused:
        registry.authenticator.principal(text, at)
    return refused.value.cause


def test_a_token_names_its_project_person_tier_and_scopes(populated):
    issued = populated.tokens.issue(ask(scopes=frozenset({"moderation:read"})), mandate())
    principal = populated.authenticator.principal(issued.text, NOW)
    (project,) = populated.projects.list()
    assert principal.project == project.id
    assert principal.reference == "REQ-1"
    assert principal.tier == "standard"
    assert principal.scopes == {"moderation:read"}
    assert principal.researcher.startswith("res_")
    assert principal.token_id == issued.token_id
    assert principal.expires == issued.expires == NOW + timedelta(days=90)


def test_a_revoked_token_is_refused_on_the_next_call(populated):
    issued = populated.tokens.issue(ask(), mandate())
    populated.authenticator.principal(issued.text, NOW)
    assert populated.tokens.revoke(issued.token_id, mandate()) == (issued.token_id, True)
    assert cause_of(populated, issued.text) == "revoked"


def test_a_revocation_by_another_process_holds_on_the_next_call(populated, settings):
    issued = populated.tokens.issue(ask(), mandate())
    populated.authenticator.principal(issued.text, NOW)
    other = open_registry(settings)
    other.tokens.revoke(issued.text, mandate())
    other.close()
    assert cause_of(populated, issued.text) == "revoked"


def test_revoking_one_token_leaves_the_others(populated):
    first, second = (populated.tokens.issue(ask(), mandate()) for _ in range(2))
    populated.tokens.revoke(first.token_id, mandate())
    assert populated.authenticator.principal(second.text, NOW).token_id == second.token_id


@pytest.mark.parametrize("status", ["suspended", "ended"])
def test_a_project_that_is_not_active_closes_its_tokens_at_once(populated, attacker, status):
    issued = populated.tokens.issue(ask(), mandate())
    attacker(f"UPDATE project SET status = '{status}'", past_triggers=False)
    assert cause_of(populated, issued.text) == f"project: {status}"


def test_a_membership_that_ended_closes_its_tokens_at_once(populated, attacker):
    issued = populated.tokens.issue(ask(), mandate())
    attacker("UPDATE membership SET ended = since", past_triggers=False)
    assert cause_of(populated, issued.text) == "membership: not a member now"


def test_scopes_taken_from_a_project_are_gone_from_its_tokens(populated, attacker):
    issued = populated.tokens.issue(ask(), mandate())
    attacker("UPDATE project SET scopes = 'ads:read'", past_triggers=False)
    assert populated.authenticator.principal(issued.text, NOW).scopes == {"ads:read"}


def test_a_token_is_refused_from_the_second_it_expires(populated):
    issued = populated.tokens.issue(ask(days=1), mandate())
    populated.authenticator.principal(issued.text, issued.expires - timedelta(microseconds=1))
    assert cause_of(populated, issued.text, issued.expires) == "expired"


def test_a_token_never_outlives_its_project(registry):
    registry.projects.create(new_project(last_day=date(2026, 7, 10)), mandate())
    registry.projects.add_member(new_member(), mandate())
    issued = registry.tokens.issue(ask(days=90), mandate())
    assert issued.expires.isoformat() == "2026-07-11T00:00:00+00:00"


def test_a_project_cut_short_ends_its_tokens_with_it(populated, attacker):
    issued = populated.tokens.issue(ask(), mandate())
    attacker("UPDATE project SET not_after = '2026-07-02 00:00:00+00'", past_triggers=False)
    tomorrow = NOW.replace(day=2, hour=0)
    assert populated.authenticator.principal(issued.text, NOW).expires == tomorrow
    assert cause_of(populated, issued.text, tomorrow) == "project: outside its period"


def test_a_token_opens_nothing_before_its_project_begins(registry):
    registry.projects.create(new_project(first_day=date(2026, 7, 2)), mandate())
    registry.projects.add_member(new_member(), mandate())
    issued = registry.tokens.issue(ask(), mandate())
    assert cause_of(registry, issued.text) == "project: outside its period"
    assert registry.authenticator.principal(issued.text, NOW + timedelta(days=1))


def test_a_token_signed_before_a_rotation_stays_good(populated):
    before = populated.tokens.issue(ask(), mandate())
    populated.keys.rotate("token", mandate())
    after = populated.tokens.issue(ask(), mandate())
    assert populated.authenticator.principal(before.text, NOW) and populated.authenticator.principal(
        after.text, NOW
    )


def test_a_process_that_opened_before_a_rotation_knows_the_new_key(populated, settings):
    other = open_registry(settings)
    other.authenticator.principal(populated.tokens.issue(ask(), mandate()).text, NOW)
    populated.keys.rotate("token", mandate())
    populated.keys.rotate("token", mandate())
    assert other.authenticator.principal(populated.tokens.issue(ask(), mandate()).text, NOW)
    other.close()


def test_a_revoked_key_closes_every_token_it_signed(populated, attacker):
    issued = populated.tokens.issue(ask(), mandate())
    populated.authenticator.principal(issued.text, NOW)
    attacker("UPDATE signing_key SET status = 'revoked' WHERE purpose = 'token'", past_triggers=False)
    assert cause_of(populated, issued.text) == "registry: the key is not in use"


def test_a_token_for_another_audience_or_issuer_is_refused(populated, settings):
    issued = populated.tokens.issue(ask(), mandate())
    for change in ({"audience": "another"}, {"issuer": "https://another.example"}):
        other = open_registry(settings.model_copy(update=change))
        assert cause_of(other, issued.text).startswith("claims: another")
        other.close()


def test_every_refusal_looks_the_same_from_outside(populated):
    issued = populated.tokens.issue(ask(), mandate())
    populated.tokens.revoke(issued.token_id, mandate())
    said = set()
    for bad in ("", "a.b.c", issued.text, issued.text[:-2]):
        with pytest.raises(TokenRefused) as refused:
            populated.authenticator.principal(bad, NOW)
        said.add((str(refused.value), refused.value.value, refused.value.parameter))
    assert len(said) == 1


def test_no_log_line_holds_a_token(populated, caplog):
    caplog.set_level(logging.DEBUG)
    issued = populated.tokens.issue(ask(), mandate())
    populated.authenticator.principal(issued.text, NOW)
    populated.tokens.revoke(issued.text, mandate())
    cause_of(populated, issued.text)
    cause_of(populated, issued.text + "x")
    assert "token revoked" in caplog.text and "token refused" in caplog.text
    lines = "\n".join(str(record.__dict__) for record in caplog.records)
    for segment in issued.text.split("."):
        assert segment not in lines
    assert issued.text not in repr(issued)


def test_a_token_is_stored_nowhere(populated, settings):
    text = populated.tokens.issue(ask(), mandate()).text
    populated.close()
    stored = b"".join(file.read_bytes() for file in settings.home.rglob("*") if file.is_file())
    if not populated.in_process:
        stored += dump(settings).encode()
    assert b"REQ-1" in stored
    for segment in text.split(".")[1:]:
        assert segment.encode() not in stored


def dump(settings: RegistrySettings) -> str:
    engine = create_engine(settings.registry_url)
    with engine.connect() as connection:
        tables = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        said = [str(connection.execute(text(f"SELECT * FROM {name}")).all()) for (name,) in tables]
    engine.dispose()
    return "".join(said)


def test_the_last_use_is_gathered_and_written_when_asked(populated):
    issued = populated.tokens.issue(ask(), mandate())
    populated.authenticator.principal(issued.text, NOW)
    populated.authenticator.principal(issued.text, NOW + timedelta(seconds=5))
    assert populated.tokens.list(NOW)[0].last_used is None
    assert populated.authenticator.write_last_uses() == 1
    assert populated.tokens.list(NOW)[0].last_used == NOW + timedelta(seconds=5)
    assert populated.authenticator.write_last_uses() == 0


def test_last_uses_that_cannot_be_written_are_kept_for_the_next_time(populated, attacker, caplog):
    populated.authenticator.principal(populated.tokens.issue(ask(), mandate()).text, NOW)
    attacker("ALTER TABLE token RENAME TO elsewhere", past_triggers=False)
    with pytest.raises(RegistryUnavailable):
        populated.authenticator.write_last_uses()
    populated.close()
    assert "could not be written" in caplog.text
    attacker("ALTER TABLE elsewhere RENAME TO token", past_triggers=False)
    assert populated.authenticator.write_last_uses() == 1


def test_closing_writes_the_last_uses(populated, settings):
    populated.authenticator.principal(populated.tokens.issue(ask(), mandate()).text, NOW)
    populated.close()
    again = open_registry(settings)
    assert again.tokens.list(NOW)[0].last_used == NOW
    again.close()


def test_a_missing_registry_lets_nobody_in(populated, settings, tmp_path, caplog):
    text = populated.tokens.issue(ask(), mandate()).text
    gone = open_registry(settings.model_copy(update={"registry_url": f"sqlite:///{tmp_path}/gone.sqlite"}))
    with pytest.raises(RegistryUnavailable):
        gone.authenticator.principal(text, NOW)
    assert not gone.is_up()
    assert not (tmp_path / "gone.sqlite").exists()
    gone.close()


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_file_that_was_removed_under_an_open_registry_lets_nobody_in(populated, settings):
    issued = populated.tokens.issue(ask(), mandate())
    populated.authenticator.principal(issued.text, NOW)
    for file in settings.home.glob("registry.sqlite*"):
        file.unlink()
    with pytest.raises(RegistryUnavailable):
        populated.authenticator.principal(issued.text, NOW)
    assert not populated.is_up()


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_revocation_in_a_file_put_in_place_of_the_first_is_seen(populated, settings):
    issued = populated.tokens.issue(ask(), mandate())
    populated.close()
    file = settings.home / "registry.sqlite"
    shutil.copy(file, settings.home / "restored")
    populated.authenticator.principal(issued.text, NOW)
    for left_over in settings.home.glob("registry.sqlite*"):
        left_over.unlink()
    (settings.home / "restored").rename(file)
    other = open_registry(settings)
    other.tokens.revoke(issued.token_id, mandate())
    other.close()
    assert cause_of(populated, issued.text) == "revoked"


def test_a_registry_that_is_no_database_lets_nobody_in(populated, settings, tmp_path):
    text = populated.tokens.issue(ask(), mandate()).text
    (tmp_path / "odd.sqlite").write_bytes(b"this is not a database, " * 100)
    odd = open_registry(settings.model_copy(update={"registry_url": f"sqlite:///{tmp_path}/odd.sqlite"}))
    with pytest.raises(RegistryUnavailable):
        odd.authenticator.principal(text, NOW)
    assert not odd.is_up()
    odd.close()


def test_a_damaged_public_key_lets_nobody_in(populated, settings, attacker):
    text = populated.tokens.issue(ask(), mandate()).text
    attacker("UPDATE signing_key SET public_pem = 'no key'", past_triggers=False)
    other = open_registry(settings)
    with pytest.raises(RegistryUnavailable):
        other.authenticator.principal(text, NOW)
    other.close()


def test_a_registry_that_is_there_is_up(registry):
    assert registry.is_up()
    assert registry.in_process == (registry.settings.registry_url.startswith("sqlite"))


def test_a_registry_of_another_version_is_not_up(registry, attacker):
    attacker("UPDATE alembic_version SET version_num = '9999'", past_triggers=False)
    assert not registry.is_up()


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_a_connection_that_the_server_dropped_is_replaced_unseen(populated, attacker):
    issued = populated.tokens.issue(ask(), mandate())
    populated.authenticator.principal(issued.text, NOW)
    attacker(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        past_triggers=False,
    )
    assert populated.authenticator.principal(issued.text, NOW)


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_a_server_that_is_gone_lets_nobody_in(populated, settings, unused_port):
    text = populated.tokens.issue(ask(), mandate()).text
    elsewhere = make_url(settings.registry_url).set(port=unused_port)
    gone = open_registry(
        settings.model_copy(update={"registry_url": elsewhere.render_as_string(hide_password=False)})
    )
    with pytest.raises(RegistryUnavailable):
        gone.authenticator.principal(text, NOW)
    assert not gone.is_up()
    gone.close()


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_a_server_that_accepts_and_says_nothing_lets_nobody_in(populated, settings, silent_port):
    text = populated.tokens.issue(ask(), mandate()).text
    elsewhere = make_url(settings.registry_url).set(port=silent_port)
    silent = open_registry(
        settings.model_copy(update={"registry_url": elsewhere.render_as_string(hide_password=False)})
    )
    with pytest.raises(RegistryUnavailable):
        silent.authenticator.principal(text, NOW)
    silent.close()


def test_a_principal_cannot_be_changed(populated):
    principal = populated.authenticator.principal(populated.tokens.issue(ask(), mandate()).text, NOW)
    with pytest.raises(dataclasses.FrozenInstanceError):
        principal.tier = "extended"
