"""The server's side of a connection: uvicorn's protocol with llhttp as parser, and bounds and checks in front of the parser.

With llhttp, a cached answer takes a fifth less CPU time than with h11, uvicorn's parser in Python (docs/decisions/0020), and
fields and bodies are checked more strictly. What llhttp does not bound, or accepts where h11 did not, is refused here: a head
that is long or slow, an unusual request line, several Hosts, several ways to give the length of a body.

This is the only file that relies on the internals of uvicorn. Its version is bounded in pyproject.toml, and
tests/api/test_internals.py fails if uvicorn changes what is used here.
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

MAX_HEAD_BYTES = 32 * 1024
"""Bytes of a request line with its fields. The same bound holds for what stands around the content of a chunked body, and for
requests that are read before the one in front of them is answered."""
HEAD_TIMEOUT = 20.0
"""Seconds to the end of a head, from the connection or, on a connection that was used before, from the head's first byte."""
BODY_TIMEOUT = 60.0
"""Seconds from the end of a head to the end of its body; no endpoint reads a body of more than 64 KiB."""

_EMPTY_LINE = b"\r\n\r\n"
_CHUNKED_END = re.compile(rb"[^\n]\r\n\r\n")
_TAIL_BYTES = 4
"""Bytes of a chunked body that are kept, since the next bytes may complete its end."""
_REQUEST_LINE = re.compile(rb"[A-Z]+ /[!-\"$-~]* HTTP/1\.[01]\r\n")
"""The target in origin form only, without a fragment (RFC 9112, section 3.2.1)."""
_UPGRADE_FIELD = re.compile(rb"\r\nupgrade:[^\r\n]*(?=\r\n)", re.IGNORECASE)


class UnreadableRequest(Exception):
    """The request is not accepted. Raised in a callback, it ends the parser, and uvicorn calls `send_400_response`."""


class StrictHttpProtocol(HttpToolsProtocol):
    """One connection. The parser is given one complete head at a time, and nothing while an answer is in progress.

    So a request starts only after the one before it is answered, and a refusal is never written into the middle of an answer.
    """

    _unread = b""  # an incomplete head, or requests that have to wait
    _expects_head = True
    _head_is_complete = False  # a complete head was given to the parser, which has not started it
    _body_left = 0  # bytes of a body with Content-Length
    _body_tail = b""  # the last bytes of a chunked body, in which its end may have begun
    _overhead = 0  # bytes since the end of the head or since content of the body was parsed
    _is_refused = False
    _timer: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._timer = self.loop.call_later(HEAD_TIMEOUT, self._on_timeout)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what can be parsed now, and keep the rest."""
        if self._unread:
            data, self._unread = self._unread + data, b""
        while data and not self._is_refused:
            if self._is_answering():
                self._unread = data
                if len(data) > MAX_HEAD_BYTES:
                    self.flow.pause_reading()  # uvicorn resumes it after the answer
                return
            data = self._read_head(data) if self._expects_head else self._read_body(data)

    def _is_answering(self) -> bool:
        """Whether a request was read completely and its answer is not complete."""
        return self.cycle is not None and not (self.cycle.response_complete or self.cycle.more_body)

    def _read_head(self, data: bytes) -> bytes:
        """Parse the head that begins here, and return what follows it. An incomplete head is kept in `_unread`."""
        end = data.find(_EMPTY_LINE)
        size = end + len(_EMPTY_LINE)
        if (len(data) if end < 0 else size) > MAX_HEAD_BYTES:
            self._refuse_long_head(data)
        elif end < 0 and data[:1].isalpha() and b"\n\n" not in data:
            self._unread = data
            self._unset_keepalive_if_required()
            self._timer = self._timer or self.loop.call_later(HEAD_TIMEOUT, self._on_timeout)
        elif not _REQUEST_LINE.match(data):
            self.send_400_response("Invalid HTTP request received.")
        else:
            self._parse_head(data[:size])
            return data[size:]
        return b""

    def _parse_head(self, head: bytes) -> None:
        self._stop_timer()
        self._head_is_complete = True
        # no other protocol is offered; llhttp would not read the body, nor what follows, of a request to change the protocol
        super().data_received(_UPGRADE_FIELD.sub(b"", head) if b"pgrade" in head.lower() else head)

    def _refuse_long_head(self, data: bytes) -> None:
        # if the request line does not end within half of the bound, the line is to blame, otherwise the fields
        has_line = data.find(b"\r\n", 0, MAX_HEAD_BYTES // 2) >= 0
        self._refuse(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE if has_line else HTTPStatus.REQUEST_URI_TOO_LONG,
            f"A request's line and fields have at most {MAX_HEAD_BYTES} bytes.",
        )

    def _read_body(self, data: bytes) -> bytes:
        """Parse the body as far as it has arrived, and return what follows it."""
        if not self._body_left:
            return self._read_chunked_body(data)
        piece = data[: min(self._body_left, MAX_HEAD_BYTES)]
        self._body_left -= len(piece)
        self._parse_body_piece(piece)
        return data[len(piece) :]

    def _read_chunked_body(self, data: bytes) -> bytes:
        """Parse a chunked body piece by piece, such that it can only end where a piece ends.

        It ends with an empty line behind the line of the last chunk or of a trailer (RFC 9112, section 7.1).
        """
        data, start = self._body_tail + data, len(self._body_tail)
        while start < len(data) and not (self._expects_head or self._is_refused):
            found = _CHUNKED_END.search(data, max(0, start - _TAIL_BYTES))
            end = min(found.end() if found else len(data), start + MAX_HEAD_BYTES)
            self._parse_body_piece(data[start:end])
            start = end
        self._body_tail = data[max(0, start - _TAIL_BYTES) : start]
        return data[start:]

    def _parse_body_piece(self, piece: bytes) -> None:
        self._overhead += len(piece)
        super().data_received(piece)
        if self._overhead > MAX_HEAD_BYTES:
            self._refuse(HTTPStatus.BAD_REQUEST, "Too much is sent around the body.")

    def on_message_begin(self) -> None:
        if not self._head_is_complete:
            raise UnreadableRequest  # the body ended where the parser should not have been given more than the body
        self._head_is_complete = False
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        # a trailer behind a body is ignored: it would be added to fields that were checked
        if self._expects_head:
            super().on_header(name, value.rstrip(b" \t"))

    def on_headers_complete(self) -> None:
        self._ensure_unambiguous()
        self._expects_head, self._body_tail = False, b""
        self._timer = self.loop.call_later(BODY_TIMEOUT, self._on_timeout)
        super().on_headers_complete()

    def _ensure_unambiguous(self) -> None:
        """Raises UnreadableRequest for a head that two readers could understand differently (RFC 9112, 3.2 and 6.1)."""
        hosts, self._body_left = 0, 0
        for name, value in self.headers:
            if name == b"host":
                hosts += 1
            # the parser checks Content-Length: once, in digits, and not with Transfer-Encoding
            elif name == b"content-length":
                self._body_left = int(value)
            elif name == b"transfer-encoding" and (value.lower() != b"chunked" or self._is_http_1_0()):
                raise UnreadableRequest
        if hosts > 1 or (hosts == 0 and not self._is_http_1_0()) or self.parser.should_upgrade():  # CONNECT
            raise UnreadableRequest

    def _is_http_1_0(self) -> bool:
        return bool(self.parser.get_http_version() == "1.0")

    def on_body(self, body: bytes) -> None:
        self._overhead = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._expects_head, self._overhead = True, 0
        self._stop_timer()
        super().on_message_complete()
        # answered before the body arrived, which stopped the keep-alive timer
        if self.cycle.response_complete:
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._unread and not self.transport.is_closing():
            self.data_received(b"")

    def send_400_response(self, msg: str) -> None:
        """Called by uvicorn if the parser failed."""
        self._refuse(HTTPStatus.BAD_REQUEST, msg)

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        """Send a problem document and close the connection.

        If an answer is in progress, close the connection after it without sending a refusal.
        """
        self._is_refused, cycle = True, self.cycle
        if self._is_answering():
            cycle.keep_alive = False
            return
        if cycle is None or cycle.response_complete or not cycle.response_started:
            self.transport.write(_refusal(status, detail))
        if cycle is not None:
            cycle.disconnected = True  # so that an application that waits for the body stops waiting
            cycle.message_event.set()
        self.transport.close()

    def _on_timeout(self) -> None:
        if self._unread:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, f"A head is sent within {HEAD_TIMEOUT:.0f} seconds.")
        elif not (self._expects_head or self.cycle.response_started):
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, f"A body is sent within {BODY_TIMEOUT:.0f} seconds.")
        else:
            self.transport.close()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _refusal(status: HTTPStatus, detail: str) -> bytes:
    """An answer with a problem document (RFC 9457), of type about:blank (4.2.1) if only a head can have the problem."""
    kind = next((kind for kind in (Malformed, TooLong) if STATUS[kind] == status), None)
    problem = {
        "type": f"/problems/{slug(kind)}" if kind else "about:blank",
        "title": title(kind) if kind else status.phrase,
        "status": status,
        "detail": detail,
        "instance": f"urn:request:{secrets.token_hex(16)}",
    }
    log.info("%s refused before it was read: %d", problem["instance"], status)
    body = orjson.dumps(problem)
    return b"%scontent-type: %s\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s" % (
        STATUS_LINE[status],
        PROBLEM_JSON.encode(),
        len(body),
        body,
    )
