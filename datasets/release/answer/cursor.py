"""Cursors: where a page of an answer ended, signed, and bound to the question and the releases that it was asked of.

A cursor names the last row by its cell, not by how many rows came before it. It says nothing about who asked, so an
answer stays the same for everybody.
"""

from __future__ import annotations

import hashlib

from itsdangerous import BadData, URLSafeSerializer

from datasets.refusal import Refusal


class CursorRefused(Refusal):
    """A cursor that was not given by this service, or belongs to another question or another release."""


class Cursors:
    """Writes cursors and reads them back. Processes that share a key read each other's."""

    def __init__(self, key: bytes) -> None:
        self.key_id = hashlib.sha256(b"daylight.cursor.id" + key).hexdigest()[:16]
        """Tells keys apart and says nothing of them: answers signed with another are other bytes."""
        self._signer = URLSafeSerializer(
            key, salt="daylight.cursor", signer_kwargs={"digest_method": hashlib.sha256}
        )

    def write(self, pages: str, last: int) -> str:
        """A cursor after the row of cell `last`, for the pages of this identifier."""
        return str(self._signer.dumps([pages, last]))

    def read(self, text: str, pages: str) -> int:
        """The cell of the last row that was given. Raises CursorRefused."""
        try:
            found, last = self._signer.loads(text)
        except (BadData, ValueError, TypeError):
            raise _refused(text, "was not given by this service, or was changed") from None
        if found != pages:
            raise _refused(text, "belongs to another question, or to another release of its months")
        return int(last)


def _refused(text: str, reason: str) -> CursorRefused:
    return CursorRefused(
        f"cursor {reason}; ask again without cursor, and follow page.next with nothing but limit changed",
        parameter="cursor",
        value=text,
    )
