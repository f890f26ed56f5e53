"""One request in, one answer out: the same for both doors."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from sfsync.local_org.errors import Refusal

MOST_BYTES_OF_HEAD = 16_384
"""Address and headers together; Salesforce refuses more."""
JSON_TYPE = "application/json;charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as a server sees it. Header names are lower case."""

    method: str
    host: str
    target: str
    """Path and query, percent-encoded."""
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        return unquote(urlsplit(self.target).path)

    @property
    def asked(self) -> dict[str, str]:
        """Parameters of the query; the last one wins where a name repeats."""
        pairs = parse_qs(urlsplit(self.target).query, keep_blank_values=True)
        return {name: values[-1] for name, values in pairs.items()}

    @property
    def form(self) -> dict[str, str]:
        """Fields of a form-encoded body."""
        pairs = parse_qs(self.body.decode("utf-8", "replace"), keep_blank_values=True)
        return {name: values[-1] for name, values in pairs.items()}

    @property
    def bytes_of_head(self) -> int:
        return len(self.target) + sum(len(k) + len(v) + 4 for k, v in self.headers.items())

    def json(self) -> object:
        """Return the body read as JSON.

        Raises:
            Refusal: JSON_PARSER_ERROR if it is none.
        """
        try:
            return json.loads(self.body)
        except ValueError as broken:
            message = f"Unexpected character at [line:1, column:1]: {type(broken).__name__}"
            raise Refusal(400, "JSON_PARSER_ERROR", message) from broken

    def json_object(self) -> dict[str, object]:
        """Return the body read as a JSON object.

        Raises:
            Refusal: JSON_PARSER_ERROR if it is something else.
        """
        body = self.json()
        if not isinstance(body, dict):
            message = "The HTTP entity body is required, but this request has no entity body."
            raise Refusal(400, "JSON_PARSER_ERROR", message)
        return body


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer before it is put on the wire; the doors add length and connection."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    """How long it takes: the door of one process says so, the one over HTTP really waits."""


def json_answer(
    body: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Answer:
    """Return an answer with a JSON body."""
    kind = {"Content-Type": JSON_TYPE}
    return Answer(status, json.dumps(body).encode(), kind | dict(headers or {}))


def html_answer(body: str, status: int) -> Answer:
    """Return a page, as load balancers and error pages are."""
    return Answer(status, body.encode(), {"Content-Type": "text/html;charset=UTF-8"})
