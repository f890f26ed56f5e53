"""Reading request bodies: bounded, and never a crash."""

import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

MEGABYTE = 1_000_000


class BodyTooLarge(APIException):
    """The body has more bytes than this address reads."""

    status_code = 413
    default_code = "body_too_large"


class BoundedJSONParser(BaseParser):
    """JSON of up to ``limit_bytes``.

    Not a sub-class of the framework's ``JSONParser``: that one is given the body whole, within
    Django's one limit for all addresses.
    """

    media_type = "application/json"
    limit_bytes = MEGABYTE

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the body as JSON values.

        Raises:
            BodyTooLarge: more than ``limit_bytes``.
            ParseError: not UTF-8, not JSON, or nested too deeply.
        """
        body = stream.read(self.limit_bytes + 1)
        if len(body) > self.limit_bytes:
            megabytes = self.limit_bytes // MEGABYTE
            raise BodyTooLarge(f"A body may have up to {megabytes} MB here; send less at once.")
        try:
            return json.loads(body.decode("utf-8-sig"), parse_constant=_refuse_constant)
        except UnicodeDecodeError as error:
            raise ParseError("The body is not UTF-8.") from error
        except json.JSONDecodeError as error:
            raise ParseError(f"The body is not JSON: {error}.") from error
        except RecursionError as error:
            raise ParseError("The body is nested too deeply.") from error


class TranscriptParser(BoundedJSONParser):
    """For whole conversations: 10 MB of words, and room for their JSON escapes."""

    limit_bytes = 20 * MEGABYTE


def _refuse_constant(name: str) -> NoReturn:
    raise ParseError(f"The body is not JSON: {name} is no number.")
