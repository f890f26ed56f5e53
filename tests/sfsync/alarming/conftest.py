"""A receiver of alarms on this machine: a real HTTP server that keeps what it is sent."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

SECRET_PATH = "/services/T0/B0/secret"


class Receiver(ThreadingHTTPServer):
    """Answers ``status`` to every post, and keeps headers and bodies."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Listener)
        self.status = 200
        self.location = ""
        self.posts: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}{SECRET_PATH}"

    @property
    def texts(self) -> list[str]:
        return [post["body"]["text"] for post in self.posts]


class _Listener(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.posts.append(
            {"path": self.path, "host": self.headers["Host"], "body": body}
        )
        self.send_response(self.server.status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *said: object) -> None:
        """Say nothing: a test's output is its own."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def told_outside(receiver: Receiver, settings: Any) -> Receiver:
    """Alarms go to the receiver and to Ada's inbox (Django's locmem backend)."""
    settings.ALARM_WEBHOOK_URL = receiver.url
    settings.ALARM_WEBHOOK_LOCAL = True
    settings.ALARM_EMAILS = ["ada@example.com"]
    settings.SITE_URL = "https://reasons.example.com"
    return receiver
