"""Cursors: where a page of a result ended, signed, and bound to the question and the releases that it was asked of.

A cursor names the last row by its cell, not by the number of rows before it. It does not depend on the client, so the
same result has the same cursors for everybody.
"""

from __future__ import annotations

import hashlib

from itsdangerous import BadData, URLSafeSerializer

from datasets.refusal import Refusal


class CursorRefused(Refusal):
    """A cursor that was not given by this service, or belongs to another question or another release."""


class Cursors:
    """Writes cursors and reads them. Processes that share a key accept each other's cursors."""

    def __init__(self, key: bytes) -> None:
        self.key_id = hashlib.sha256(b"daylight.cursor.id" + key).hexdigest()[:16]
        """Identifies the key without revealing it. It is part of a result's ETag, since other keys give other cursors."""
        self._signer = URLSafeSerializer(
            key, salt="daylight.cursor", signer_kwargs={"digest_method": hashlib.sha256}
        )

    def write(self, pages: str, last: int) -> str:
        """A cursor that continues after the row of cell `last`; `pages` identifies the result (Question.id_of_pages)."""
        return str(self._signer.dumps([pages, last]))

    def read(self, text: str, pages: str) -> int:
        """The cell of the last row of the page before. Raises CursorRefused."""
        try:
            signed_pages, last = self._signer.loads(text)
        except (BadData, ValueError, TypeError):
            raise _cursor_refused(text, "was not given by this service, or was changed") from None
        if signed_pages != pages:
            raise _cursor_refused(text, "belongs to another question, or to another release of its months")
        return int(last)


def _cursor_refused(text: str, reason: str) -> CursorRefused:
    return CursorRefused(
        f"cursor {reason}; ask again without cursor, and follow page.next with nothing but limit changed",
        parameter="cursor",
        value=text,
    )
