"""The door inside one process: a requests adapter whose other end is the org itself."""

import io
from collections.abc import Iterable, Mapping
from datetime import timedelta
from http.client import responses
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from sfsync.local_org.errors import AnswerLost
from sfsync.local_org.org import LocalOrg
from sfsync.local_org.wire import Answer, Request


class InProcessDoor(BaseAdapter):
    """Answers prepared requests without a socket. Mount it for ``https://``."""

    def __init__(self, org: LocalOrg) -> None:
        """Open the door of an org."""
        super().__init__()
        self.org = org

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002  # the signature of requests
        timeout: object = None,
        verify: bool | str = True,  # noqa: FBT001, FBT002  # the signature of requests
        cert: object = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Return the org's answer.

        Raises:
            requests.ConnectionError: the org cut the connection.
        """
        try:
            answer = self.org.answer(_taken_in(request))
        except AnswerLost as lost:
            message = "Connection aborted: the remote end closed it without an answer"
            raise requests.ConnectionError(message, request=request) from lost
        return _handed_out(answer, request)

    def close(self) -> None:
        """Do nothing: there is no socket to close."""


def _taken_in(request: requests.PreparedRequest) -> Request:
    parts = urlsplit(request.url or "")
    headers = {name.lower(): _text(value) for name, value in request.headers.items()}
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    host = headers.get("host") or parts.netloc
    return Request(request.method or "GET", host, target, headers, _bytes(request.body))


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _bytes(body: bytes | str | Iterable[bytes] | None) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    return body if isinstance(body, bytes) else b"".join(body)


def _handed_out(answer: Answer, request: requests.PreparedRequest) -> requests.Response:
    response = requests.Response()
    response.status_code = answer.status
    response.reason = responses.get(answer.status, "")
    response.headers = CaseInsensitiveDict(answer.headers)
    response.encoding = requests.utils.get_encoding_from_headers(response.headers)
    response.raw = io.BytesIO(answer.body)
    response.url = request.url or ""
    response.request = request
    response.elapsed = timedelta(seconds=answer.seconds)
    return response
