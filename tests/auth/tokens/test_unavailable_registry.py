"""Nobody is authenticated while the registry is missing, damaged or not reachable."""

from __future__ import annotations

import shutil

import pytest
from sqlalchemy import make_url

from auth.errors import RegistryUnavailable
from auth.registry import open_registry
from tests.auth.conftest import NOW, ask, mandate
from tests.auth.tokens.conftest import refusal_cause


def test_a_missing_registry_is_unavailable_and_is_not_created(populated, settings, tmp_path, caplog):
    text = populated.tokens.issue(ask(), mandate()).text
    gone = open_registry(settings.model_copy(update={"registry_url": f"sqlite:///{tmp_path}/gone.sqlite"}))
    with pytest.raises(RegistryUnavailable):
        gone.authenticator.principal(text, NOW)
    assert not gone.is_up()
    assert not (tmp_path / "gone.sqlite").exists()
    gone.close()


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_an_open_registry_is_unavailable_after_its_file_was_removed(populated, settings):
    issued = populated.tokens.issue(ask(), mandate())
    populated.authenticator.principal(issued.text, NOW)
    for file in settings.home.glob("registry.sqlite*"):
        file.unlink()
    with pytest.raises(RegistryUnavailable):
        populated.authenticator.principal(issued.text, NOW)
    assert not populated.is_up()


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_revocation_in_a_file_that_replaced_the_first_takes_effect(populated, settings):
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
    assert refusal_cause(populated, issued.text) == "revoked"


def test_a_file_that_is_not_a_database_is_unavailable(populated, settings, tmp_path):
    text = populated.tokens.issue(ask(), mandate()).text
    (tmp_path / "odd.sqlite").write_bytes(b"this is not a database, " * 100)
    odd = open_registry(settings.model_copy(update={"registry_url": f"sqlite:///{tmp_path}/odd.sqlite"}))
    with pytest.raises(RegistryUnavailable):
        odd.authenticator.principal(text, NOW)
    assert not odd.is_up()
    odd.close()


def test_a_registry_with_a_damaged_public_key_is_unavailable(populated, settings, attacker):
    text = populated.tokens.issue(ask(), mandate()).text
    attacker("UPDATE signing_key SET public_pem = 'no key'", past_triggers=False)
    other = open_registry(settings)
    with pytest.raises(RegistryUnavailable):
        other.authenticator.principal(text, NOW)
    other.close()


def test_an_existing_registry_is_up(registry):
    assert registry.is_up()
    assert registry.in_process == (registry.settings.registry_url.startswith("sqlite"))


def test_a_registry_of_another_version_is_not_up(registry, attacker):
    attacker("UPDATE alembic_version SET version_num = '9999'", past_triggers=False)
    assert not registry.is_up()


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_a_connection_that_the_server_dropped_is_replaced_without_an_error(populated, attacker):
    issued = populated.tokens.issue(ask(), mandate())
    populated.authenticator.principal(issued.text, NOW)
    attacker(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        past_triggers=False,
    )
    assert populated.authenticator.principal(issued.text, NOW)


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_a_registry_without_a_server_is_unavailable(populated, settings, unused_port):
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
def test_a_registry_whose_server_does_not_answer_is_unavailable(populated, settings, silent_port):
    text = populated.tokens.issue(ask(), mandate()).text
    elsewhere = make_url(settings.registry_url).set(port=silent_port)
    silent = open_registry(
        settings.model_copy(update={"registry_url": elsewhere.render_as_string(hide_password=False)})
    )
    with pytest.raises(RegistryUnavailable):
        silent.authenticator.principal(text, NOW)
    silent.close()
