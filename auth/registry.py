"""The registry as the API and the command line see it: who may ask, and every act that decides it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from functools import partial
from threading import Lock
from typing import Any

from sqlalchemy import Engine, or_, update

from auth import projects
from auth.admins.accounts import AdminPrincipal, Admins
from auth.admins.approvals import PROJECT_APPROVAL, FourEyes
from auth.audit.export import export_lines
from auth.audit.log import Mandate, read_witness
from auth.audit.transaction import AuditedTransaction, audited_transaction
from auth.audit.verification import VerifiedChain, verify_chain
from auth.crypto.jws import sign_detached, verify_detached
from auth.crypto.jwt import Claims, ensure_claims, read_claims_ignoring_expiry, sign_token
from auth.crypto.keyring import Keyring
from auth.crypto.keys import Purpose, ensure_backend
from auth.crypto.verification_cache import VerificationCache
from auth.db import migrate
from auth.db.engine import open_engine, parse_registry_url, snapshot, write_transaction
from auth.db.models import Project, Researcher, SigningKey, Token
from auth.db.statement_timeout import StatementTimeout
from auth.errors import KeyUnusable, NotAllowed, RegistryUnavailable, TokenRefused, UnknownRecord
from auth.projects import NewMember, NewProject
from auth.settings import RegistrySettings
from auth.tokens import issuing, rotation
from auth.tokens.issuing import IssuedToken, NewToken, TokenLine
from auth.tokens.principal import Principal, principal_from_row
from auth.tokens.principal_cache import PrincipalCache
from auth.tokens.usage import UsageStore
from auth.vetting import lifecycle
from auth.vetting.administration import Office

log = logging.getLogger("daylight.auth")


class Registry:
    """One open registry. Safe to share between threads.

    `in_process` is True on SQLite, where looking up a principal reads a local file in about a tenth of a
    millisecond: call `principal` in the event loop. On PostgreSQL it waits for a server: call it in a
    worker thread. Every other method belongs in a worker thread on both.
    """

    def __init__(self, settings: RegistrySettings, engine: Engine) -> None:
        self.settings = settings
        self.in_process = engine.dialect.name == "sqlite"
        self._engine = engine
        self._watchdog = None if self.in_process else StatementTimeout(engine)
        self._keyring = Keyring(engine, settings.keys_dir)
        self._signatures = VerificationCache(self._keyring.token_key)
        self._standings = PrincipalCache(engine)
        self._used: dict[str, datetime] = {}
        self._used_lock = Lock()
        self.office = Office(engine, self._acting, FourEyes(settings.two_people))
        self.admins = Admins(engine, self._keyring, settings, self._acting)
        self.usage = UsageStore(engine)

    # --- who asks ---------------------------------------------------------------------------------

    def principal(self, text: str, now: datetime) -> Principal:
        """Who holds this token (its text, without the word Bearer), looked up anew on each call.

        Raises TokenRefused (one refusal outside, `cause` for the log) and RegistryUnavailable.
        """
        try:
            kid, claims = self._check(text, now)
            principal = principal_from_row(self._standings.find(claims.jti), kid, claims, now)
        except KeyUnusable as damaged:
            raise RegistryUnavailable(damaged.sentence) from None
        except TokenRefused as refused:
            log.info("token refused: %s", refused.cause, extra={"cause": refused.cause})
            raise
        with self._used_lock:
            self._used[principal.token_id] = now
        return principal

    def admin(self, text: str, now: datetime) -> AdminPrincipal:
        """Which admin holds this session's token, looked up anew on each call. Raises TokenRefused, RegistryUnavailable."""
        try:
            return self.admins.principal(*self._signatures.verify(text), now)
        except TokenRefused as refused:
            log.info("token refused: %s", refused.cause, extra={"cause": refused.cause})
            raise

    def write_last_uses(self) -> int:
        """Writes when tokens were last used, as gathered since the last call; returns how many tokens.

        Call it from a worker thread about once a minute; `close` calls it too. What cannot be written now
        is kept for the next call. Raises RegistryUnavailable.
        """
        with self._used_lock:
            used, self._used = self._used, {}
        if not used:
            return 0
        try:
            with write_transaction(self._engine) as session:
                for token_id, moment in used.items():
                    later = or_(Token.last_used.is_(None), Token.last_used < moment)
                    session.execute(
                        update(Token).where(Token.jti == token_id, later).values(last_used=moment)
                    )
        except RegistryUnavailable:
            with self._used_lock:
                self._used = used | self._used
            raise
        return len(used)

    # --- keys -------------------------------------------------------------------------------------

    def jwks(self) -> dict[str, Any]:
        """The public keys, as /.well-known/jwks.json serves them. Raises RegistryUnavailable."""
        return self._keyring.jwks()

    def release_signer(self) -> Callable[[bytes], str]:
        """Signs a manifest's bytes as a detached JWS with the active release key.

        Raises RegistryUnavailable, and KeyUnusable where this host does not hold that key.
        """
        with snapshot(self._engine) as session:
            signer = self._keyring.signer(session, "release")
        return lambda payload: sign_detached(payload, signer, "release")

    def release_verifier(self) -> Callable[[bytes, str], None]:
        """Checks a manifest's bytes against its detached JWS.

        What it returns raises SignatureRefused, and RegistryUnavailable when a key must be looked up and
        cannot be.
        """
        key_of = self._keyring.release_key
        return lambda payload, signature: verify_detached(payload, signature, "release", key_of)

    def list_keys(self) -> Sequence[SigningKey]:
        """Every key, by purpose and age. Raises RegistryUnavailable."""
        with snapshot(self._engine) as session:
            return self._keyring.list(session)

    def rotate_key(self, purpose: Purpose, mandate: Mandate) -> str:
        """The kid of the key that signs from now on. What the old one signed stays valid."""
        with self._acting(mandate) as act:
            old, new, following = self._keyring.rotate(act.session, purpose, mandate.at)
            act.record("key.rotated", new, purpose=purpose, retired=old, next=following)
        return new

    def revoke_key(self, kid: str, mandate: Mandate) -> str | None:
        """What this key signed is refused from the next request on. The kid that signs instead, where it was active.

        Raises UnknownRecord, NotAllowed for a key that is revoked already, KeyUnusable.
        """
        with self._acting(mandate) as act:
            purpose, successor = self._keyring.supersede(act.session, kid, mandate.at)
            act.record("key.revoked", kid, purpose=purpose, successor=successor or "")
            self._keyring.revoke(
                act.session, kid
            )  # last: the audit's own head was signed by it until just now
        return successor

    def audit_lines(self, after: int = 0) -> Iterator[dict[str, object]]:
        """Every event after a position, and at the end the signed head: enough to follow the chain elsewhere.

        Between lines nothing is held, however long they take to be read. Raises RegistryUnavailable.
        """
        return export_lines(self._engine, after)

    # --- acts: each raises RegistryUnavailable and ChainBroken besides what its docstring says ----

    def record_release_act(self, act: str, release: str, mandate: Mandate) -> None:
        """Put on record what is done to a release elsewhere, such as its withdrawal."""
        with self._acting(mandate) as acting_:
            acting_.record(act, release)

    def create_project(self, new: NewProject, mandate: Mandate) -> Project:
        """Raises MalformedValue and NotAllowed."""
        if PROJECT_APPROVAL in self.settings.two_people:
            raise NotAllowed(
                "project: two people must agree to a project here; submit an application and let both approve it.",
                parameter="project",
            )
        with self._acting(mandate) as act:
            project = projects.create_project(act.session, new, mandate.at)
            lifecycle.record_version(act.session, project, mandate)
            act.record(
                "project.created",
                project.id,
                reference=project.reference,
                scopes=project.scopes,
                tier=project.tier,
                first_day=str(new.first_day),
                last_day=str(new.last_day),
            )
        return project

    def add_researcher(self, new: NewMember, mandate: Mandate) -> tuple[Project, Researcher]:
        """Raises UnknownRecord, MalformedValue and NotAllowed."""
        with self._acting(mandate) as act:
            first = projects.is_empty(act.session, new.project)
            project, researcher = projects.add_member(act.session, new, mandate.at)
            act.record("member.added", project.id, researcher=researcher.id)
            if first:
                lifecycle.add_notice(
                    act.session, project, "access_begins", max(mandate.at, project.not_before)
                )
        return project, researcher

    def issue_token(self, new: NewToken, mandate: Mandate) -> IssuedToken:
        """A token, whose row and audit entry are committed before its text is returned.

        Raises UnknownRecord, MalformedValue, NotAllowed, and KeyUnusable where this host cannot sign.
        """
        with self._acting(mandate) as act:
            signer = self._keyring.signer(act.session, "token")
            token, again = issuing.issue_token(act.session, new, signer.kid, mandate.at)
            if token.kid != signer.kid:
                raise NotAllowed(
                    "idempotency_key: the key that signed this token has been rotated; choose another "
                    "idempotency key for another token.",
                    parameter="idempotency_key",
                    value=new.idempotency_key or "",
                )
            text = sign_token(issuing.claims_of(token, self.settings.issuer, self.settings.audience), signer)
            act.record(
                "token.shown_again" if again else "token.issued",
                token.jti,
                project=token.project_id,
                researcher=token.researcher_id,
                scopes=token.scopes,
                expires=token.expires.isoformat(),
            )
        log.info("token issued", extra={"token_id": token.jti, "project": token.project_id})
        return IssuedToken(text, token.jti, token.expires, again)

    def revoke_token(self, name: str, mandate: Mandate) -> tuple[str, bool]:
        """The token's identifier, and whether it was open until now. It is refused from the next request on.

        `name` is an identifier or the text of a token that verifies. Raises UnknownRecord and TokenRefused.
        """
        token_id = self._token_id(name, mandate.at)
        with self._acting(mandate) as act:
            token, changed = issuing.revoke_token(act.session, token_id, mandate.at)
            if changed:
                act.record("token.revoked", token.jti, project=token.project_id)
        if changed:
            log.info("token revoked", extra={"token_id": token.jti, "project": token.project_id})
        return token.jti, changed

    def rotate_token(self, name: str, overlap: timedelta, mandate: Mandate) -> IssuedToken:
        """A new token in place of one that is open, which goes on for the overlap. `name` as for `revoke_token`.

        Raises UnknownRecord, MalformedValue, NotAllowed, KeyUnusable.
        """
        token_id = self._token_id(name, mandate.at)
        with self._acting(mandate) as act:
            signer = self._keyring.signer(act.session, "token")
            new, old = rotation.rotate_token(act.session, token_id, signer.kid, overlap, mandate.at)
            text = sign_token(issuing.claims_of(new, self.settings.issuer, self.settings.audience), signer)
            until = old.revoked.isoformat() if old.revoked else ""
            act.record("token.rotated", old.jti, project=old.project_id, by=new.jti, until=until)
        return IssuedToken(text, new.jti, new.expires, again=False)

    def narrow_token(self, name: str, scopes: frozenset[str], mandate: Mandate) -> str:
        """The identifier of a token that has these scopes only from now on. Raises UnknownRecord, NotAllowed."""
        token_id = self._token_id(name, mandate.at)
        with self._acting(mandate) as act:
            token = rotation.narrow_token(act.session, token_id, scopes, mandate.at)
            act.record("token.narrowed", token.jti, project=token.project_id, scopes=token.narrowed)
        return token.jti

    def identify_token(self, text: str, now: datetime) -> TokenLine:
        """Whose a token is that was found somewhere, also where it has expired or is revoked. Raises UnknownRecord."""
        try:
            claims = read_claims_ignoring_expiry(
                text, self._keyring.token_key, self.settings.issuer, self.settings.audience
            )
        except TokenRefused:
            raise UnknownRecord("token: this text is no token of this registry.", parameter="token") from None
        with snapshot(self._engine) as session:
            found = issuing.list_tokens(session, now, token_id=claims.jti)
        if not found:
            raise UnknownRecord("token: this text is no token of this registry.", parameter="token")
        return found[0]

    # --- what there is ----------------------------------------------------------------------------

    def list_projects(self) -> Sequence[Project]:
        """Every project, the earliest end first. Raises RegistryUnavailable."""
        with snapshot(self._engine) as session:
            return projects.list_projects(session)

    def list_tokens(self, now: datetime, project: str | None = None) -> Sequence[TokenLine]:
        """Every token, or one project's, the latest first. Raises RegistryUnavailable and UnknownRecord."""
        with snapshot(self._engine) as session:
            return issuing.list_tokens(session, now, project)

    def show_token(self, name: str, now: datetime) -> TokenLine:
        """One token, by its identifier or a text that verifies. Raises RegistryUnavailable and UnknownRecord."""
        token_id = self._token_id(name, now)
        with snapshot(self._engine) as session:
            issuing.find_token(session, token_id)
            return issuing.list_tokens(session, now, token_id=token_id)[0]

    def verify_audit(self) -> VerifiedChain:
        """Follows the audit from end to end. Raises ChainBroken with the position, and RegistryUnavailable."""
        witness = read_witness(self.settings.keys_dir)
        with snapshot(self._engine) as session:
            return verify_chain(session, partial(self._keyring.audit_key, session), witness)

    def is_up(self) -> bool:
        """Whether the registry answers and its tables are this program's. Never raises."""
        try:
            return migrate.database_version(self._engine) == migrate.head_version()
        except RegistryUnavailable:
            return False

    def close(self) -> None:
        """Writes what is pending, if that is possible, and lets go of every connection."""
        try:
            self.write_last_uses()
            self.usage.flush()
        except RegistryUnavailable:
            log.warning("the last uses of tokens, or what was taken, could not be written")
        if self._watchdog is not None:
            self._watchdog.stop()
        self._standings.close()
        self._engine.dispose()

    def _acting(self, mandate: Mandate) -> AbstractContextManager[AuditedTransaction]:
        return audited_transaction(self._engine, self._keyring, self.settings.keys_dir, mandate)

    def _token_id(self, name: str, now: datetime) -> str:
        if "." not in name:
            return name
        try:
            return self._check(name, now)[1].jti
        except TokenRefused:
            raise UnknownRecord(
                "token: this text is no token of this registry, or one that has expired; give its identifier, as "
                "in 'token list'.",
                parameter="token",
            ) from None

    def _check(self, text: str, now: datetime) -> tuple[str, Claims]:
        kid, claims = self._signatures.verify(text)
        ensure_claims(claims, self.settings.issuer, self.settings.audience, now)
        return kid, claims


def open_registry(settings: RegistrySettings) -> Registry:
    """A registry that connects when it is first asked: one that is missing or down is RegistryUnavailable then.

    It is never made here: `auth.setup.prepare` does that. Raises MalformedValue for an address that is none,
    and KeyUnusable where python-jose would not use the package cryptography.
    """
    ensure_backend()
    return Registry(settings, open_engine(parse_registry_url(settings.registry_url)))
