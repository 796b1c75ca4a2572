"""The server's side of a connection: llhttp behind uvicorn reads requests fast, and this says what may reach it.

uvicorn's other parser, h11, took a fifth of what a known question costs. llhttp is the stricter of the two about fields and
bodies. What it does not bound, or takes where h11 did not, is bound and refused here: how long a head is and how long it
takes, what its first line looks like, one Host, one way of saying how long a body is (docs/decisions/0018).
"""

from __future__ import annotations

import logging
import re
import secrets
from asyncio import TimerHandle, Transport
from http import HTTPStatus

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from api.errors import STATUS
from api.http.problems import PROBLEM_JSON, slug, title
from api.refusals import Malformed, TooLong

log = logging.getLogger("daylight.api")

LONGEST_HEAD = 32 * 1024
"""Bytes of a request's line and fields. As many may stand around a piece of a body, and may come before their turn."""
HEAD_WITHIN = 20.0
"""Seconds from connecting, or from its first byte on a connection that was answered already, to the end of a head."""
BODY_WITHIN = 60.0
"""Seconds from the end of a head to the end of its body, of which the longest that is read has 64 KiB."""

_END = b"\r\n\r\n"
_LINE = re.compile(rb"[A-Z]+ /[!-\"$-~]* HTTP/1\.[01]\r\n")
"""The origin form of a target and no other, without a fragment (RFC 9112, section 3.2.1)."""
_UPGRADE = re.compile(rb"\r\nupgrade:[^\r\n]*(?=\r\n)", re.IGNORECASE)


def _problem(status: HTTPStatus, why: str) -> dict[str, object]:
    """A problem as others are (RFC 9457); one that only a head can have is no more than its status (section 4.2.1)."""
    kind = next((kind for kind in (Malformed, TooLong) if STATUS[kind] == status), None)
    return {
        "type": f"/problems/{slug(kind)}" if kind else "about:blank",
        "title": title(kind) if kind else status.phrase,
        "status": status,
        "detail": why,
        "instance": f"urn:request:{secrets.token_hex(16)}",
    }


class Refused(Exception):
    """What was sent is no request that is read here. The parser ends at it, and calls `send_400_response`."""


class StrictHttpProtocol(HttpToolsProtocol):
    """One connection, of which the parser is given one head at a time, whole, and nothing while an answer is under way.

    So a question is begun when its forerunner is answered, and a refusal never stands in the midst of an answer.
    """

    _unread = b""  # of a head that is not whole, or before its turn
    _in_head = True
    _given = False  # whether the parser was given a head that it has not begun
    _left = 0  # of a body whose length is known
    _around = 0  # bytes since a head ended or something of its body was read
    _deaf = False
    _clock: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._clock = self.loop.call_later(HEAD_WITHIN, self._late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what can be read now, and keep what cannot."""
        if self._unread:
            data, self._unread = self._unread + data, b""
        while data and not self._deaf:
            if self._is_answering():
                self._unread = data
                if len(data) > LONGEST_HEAD:
                    self.flow.pause_reading()  # until it is answered
                return
            data = self._read_head(data) if self._in_head else self._read_body(data)

    def _is_answering(self) -> bool:
        """Whether a request was read to its end and is not answered to its end."""
        return self.cycle is not None and not (self.cycle.response_complete or self.cycle.more_body)

    def _read_head(self, data: bytes) -> bytes:
        """What follows the head that begins here; nothing where it is not whole yet, which is kept, or refused."""
        size = data.find(_END) + len(_END)
        if max(size, 0 if size >= len(_END) else len(data)) > LONGEST_HEAD:
            line = data.find(b"\r\n", 0, LONGEST_HEAD // 2)  # where not even that holds it, it is to blame
            status = (
                HTTPStatus.REQUEST_URI_TOO_LONG if line < 0 else HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            )
            self._refuse(status, f"A request's line and fields have at most {LONGEST_HEAD} bytes.")
        elif size < len(_END) and data[:1].isalpha() and b"\n\n" not in data:
            self._unread = data
            self._unset_keepalive_if_required()
            self._clock = self._clock or self.loop.call_later(HEAD_WITHIN, self._late)
        elif not _LINE.match(data):
            self.send_400_response("Invalid HTTP request received.")
        else:
            self._stop_clock()
            head, self._given = data[:size], True
            # nothing is upgraded here; the parser would leave out the body, and all that follows
            super().data_received(_UPGRADE.sub(b"", head) if b"pgrade" in head.lower() else head)
            return data[size:]
        return b""

    def _read_body(self, data: bytes) -> bytes:
        """What follows this piece of a body. The piece ends where the body does, if that is known."""
        piece = data[: min(self._left or LONGEST_HEAD, LONGEST_HEAD)]
        if self._left:
            self._left -= len(piece)
        self._around += len(piece)
        super().data_received(piece)
        if self._around > LONGEST_HEAD:
            self._refuse(HTTPStatus.BAD_REQUEST, "Too much is sent around the body.")
        return data[len(piece) :]

    def on_message_begin(self) -> None:
        if not self._given:
            raise Refused  # behind a chunked body, unlooked at: what comes before its turn may be asked again
        self._given = False
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # and not behind a body, where fields would be added to those that were looked at
            super().on_header(name, value.rstrip(b" \t"))

    def on_headers_complete(self) -> None:
        self._ensure_sound()
        self._in_head = False
        self._clock = self.loop.call_later(BODY_WITHIN, self._late)
        super().on_headers_complete()

    def _ensure_sound(self) -> None:
        """Raises Refused for a head that two readers might take for two things (RFC 9112, sections 3.2 and 6.1)."""
        hosts, self._left = 0, 0
        for name, value in self.headers:
            if name == b"host":
                hosts += 1
            elif (
                name == b"content-length"
            ):  # once and in digits, and not beside Transfer-Encoding, says the parser
                self._left = int(value)
            elif name == b"transfer-encoding" and (value.lower() != b"chunked" or self._is_old()):
                raise Refused
        if hosts > 1 or (hosts == 0 and not self._is_old()) or self.parser.should_upgrade():  # CONNECT
            raise Refused

    def _is_old(self) -> bool:
        return bool(self.parser.get_http_version() == "1.0")

    def on_body(self, body: bytes) -> None:
        self._around = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_head, self._around = True, 0
        self._stop_clock()
        super().on_message_complete()
        if self.cycle.response_complete:  # before its body was here, which counted as a sign of life
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._unread and not self.transport.is_closing():
            self.data_received(b"")

    def send_400_response(self, msg: str) -> None:
        """The parser gave up."""
        self._refuse(HTTPStatus.BAD_REQUEST, msg)

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        """Say so and close; within an answer, say nothing and close behind it."""
        self._deaf, cycle = True, self.cycle
        if self._is_answering():
            cycle.keep_alive = False
            return
        if cycle is None or cycle.response_complete or not cycle.response_started:
            problem = _problem(status, why)
            log.info("%s refused before it was read: %d", problem["instance"], status)
            body = orjson.dumps(problem)
            self.transport.write(
                b"%scontent-type: %s\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s"
                % (STATUS_LINE[status], PROBLEM_JSON.encode(), len(body), body)
            )
        if cycle is not None:
            cycle.disconnected = True  # an application that still reads the body learns that there is no more
            cycle.message_event.set()
        self.transport.close()

    def _late(self) -> None:
        if self._unread:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, f"A head is sent within {HEAD_WITHIN:.0f} seconds.")
        elif not (self._in_head or self.cycle.response_started):
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, f"A body is sent within {BODY_WITHIN:.0f} seconds.")
        else:
            self.transport.close()

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None
