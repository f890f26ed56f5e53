"""The door over HTTP: a threaded server on loopback, HTTP/1.1 with keep-alive."""

import threading
import time
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from sfsync.local_org.errors import AnswerLost
from sfsync.local_org.org import LocalOrg
from sfsync.local_org.wire import Answer, Request

LOOPBACK = "127.0.0.1"
IDLE_SECONDS = 60
"""After this long without a request a kept connection is closed."""
MOST_BYTES = 64 * 1024 * 1024


class HttpDoor:
    """A server for one org. Bound to loopback: it has no other protection."""

    def __init__(self, org: LocalOrg, port: int = 0) -> None:
        """Bind to a port of loopback; 0 picks a free one."""
        handler = type("Handler", (_Handler,), {"org": org})
        self._server = _Server((LOOPBACK, port), handler)
        self._thread: threading.Thread | None = None

    @property
    def origin(self) -> str:
        """Address of the door, such as ``http://127.0.0.1:8099``."""
        return f"http://{LOOPBACK}:{self._server.server_address[1]}"

    def start(self) -> None:
        """Answer in threads of its own until ``close``."""
        self._thread = threading.Thread(target=self.serve, name="local-org", daemon=True)
        self._thread.start()

    def serve(self) -> None:
        """Answer in the calling thread until ``close`` is called from another."""
        self._server.serve_forever(poll_interval=0.1)

    def close(self) -> None:
        """Stop answering and free the port."""
        if self._thread:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> "HttpDoor":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A kept connection waits for its next request; closing must not wait for it.
    block_on_close = False
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    org: LocalOrg
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        """Write no log: an address may hold a customer's words in a query."""

    def _answer(self) -> None:
        try:
            body = self._body()
        except ValueError:
            self.close_connection = True
            self._put(Answer(400))
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, headers.get("host", ""), self.path, headers, body)
        try:
            answer = self.org.answer(request)
            time.sleep(answer.seconds)  # outside the org's lock: others are answered meanwhile
            self._put(answer)
        except AnswerLost:
            self.close_connection = True

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = _answer  # noqa: N815  # names of http.server

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunks()
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 <= length <= MOST_BYTES:
            raise ValueError(f"a body of {length} bytes")
        return self.rfile.read(length)

    def _chunks(self) -> bytes:
        body = bytearray()
        while size := int(self.rfile.readline().split(b";")[0], 16):
            if len(body) + size > MOST_BYTES:
                raise ValueError("a body too large")
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers
        return bytes(body)

    def _put(self, answer: Answer) -> None:
        """Write head and body at once: two small packets would cost a delayed ACK."""
        reason = responses.get(answer.status, "")
        head = [f"HTTP/1.1 {answer.status} {reason}"]
        head += [f"{name}: {value}" for name, value in answer.headers.items()]
        if answer.status not in {204, 304}:
            head.append(f"Content-Length: {len(answer.body)}")
        if self.close_connection:
            head.append("Connection: close")
        body = b"" if self.command == "HEAD" else answer.body
        self.wfile.write("\r\n".join([*head, "", ""]).encode("latin-1") + body)
