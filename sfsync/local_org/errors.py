"""What the org answers when it refuses: one error class, one JSON shape."""

from collections.abc import Sequence


class Refusal(Exception):
    """A refused call or row; becomes a list of one error, or a row error in Collections."""

    def __init__(
        self, status: int, code: str, message: str, fields: Sequence[str] | None = None
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.fields = None if fields is None else list(fields)

    def as_body(self) -> list[dict[str, object]]:
        """Return the body of a REST answer: always a list."""
        body: dict[str, object] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            body["fields"] = self.fields
        return [body]

    def as_row(self) -> dict[str, object]:
        """Return the same as one row of a Collections answer: ``statusCode``, no status."""
        return {"statusCode": self.code, "message": self.message, "fields": self.fields or []}


class AnswerLost(Exception):
    """The call was carried out, but its answer never leaves: the connection breaks."""


def not_found() -> Refusal:
    """Return the refusal for a resource or record that is not there."""
    return Refusal(404, "NOT_FOUND", "The requested resource does not exist")


def no_such_type(name: str) -> Refusal:
    """Return the refusal for an sObject the org does not have, outside SOQL."""
    return Refusal(404, "NOT_FOUND", f"The requested resource does not exist: {name}")
