"""Wires for tests of the edge: the local org's own door, listened to or cut."""

import io
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from sfsync.local_org.door import InProcessDoor
from sfsync.local_org.org import LocalOrg

Judge = Callable[[requests.PreparedRequest], requests.Response | None]


class Tap(BaseAdapter):
    """The org's door with an ear on it: keeps what was sent, and may answer in its place."""

    def __init__(self, org: LocalOrg, judge: Judge = lambda request: None) -> None:
        super().__init__()
        self.door = InProcessDoor(org)
        self.judge = judge
        self.sent: list[requests.PreparedRequest] = []
        self.options: list[dict[str, Any]] = []

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        self.sent.append(request)
        self.options.append(options)
        judged = self.judge(request)
        return self.door.send(request, **options) if judged is None else judged

    def close(self) -> None:
        self.door.close()

    def urls(self, part: str = "") -> list[str]:
        return [str(request.url) for request in self.sent if part in str(request.url)]


def answer(
    request: requests.PreparedRequest, status: int, body: str, **headers: str
) -> requests.Response:
    """Return what some server between us and the org might say."""
    response = requests.Response()
    response.status_code = status
    response.headers = CaseInsensitiveDict({"Content-Type": "text/html", **headers})
    response.raw = io.BytesIO(body.encode())
    response.encoding = "utf-8"
    response.url = str(request.url)
    response.request = request
    return response


def is_rest(request: requests.PreparedRequest) -> bool:
    return "/services/data/" in str(request.url)


def is_login(request: requests.PreparedRequest) -> bool:
    return "/services/oauth2/token" in str(request.url)
