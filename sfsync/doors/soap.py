"""Reading an Outbound Message: SOAP in, a few ids out; everything else is dropped unread."""

from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from xml.sax import SAXException
from xml.sax.handler import ContentHandler, feature_namespaces
from xml.sax.xmlreader import AttributesNSImpl, InputSource

from defusedxml import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

from sfsync.cases import CASE_PREFIX
from sfsync.record_ids import full_id

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
OUTBOUND = "http://soap.sforce.com/2005/09/outbound"
MOST_NOTIFICATIONS = 100
"""Of one envelope (SOAP API guide, outbound messaging)."""
DEEPEST = 50
MOST_ELEMENTS = 30_000
"""A hundred Cases with three hundred fields each."""
VALUE_CHARACTERS = 255
"""Ids and stamps are shorter by far; what is longer is none."""
ORGANISATION_PREFIX = "00D"
NOTIFICATION_PREFIX = "04l"
_HEAD = ("Envelope", "Body", "notifications")
_NOTIFICATION = (*_HEAD, "Notification")
_RECORD = (*_NOTIFICATION, "sObject")
CASE_FIELDS = ("Id", "CaseId", "ParentId")
"""Where a record names its Case: a Case itself, a task or chat, an e-mail or comment."""
STAMP_FIELDS = ("SystemModstamp", "LastModifiedDate")

ACK = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    f'<soapenv:Envelope xmlns:soapenv="{ENVELOPE}"><soapenv:Body>'
    f'<notificationsResponse xmlns="{OUTBOUND}"><Ack>true</Ack></notificationsResponse>'
    "</soapenv:Body></soapenv:Envelope>"
)
"""As the WSDL has it."""


class EnvelopeRefused(Exception):
    """What came is no Outbound Message; the words say why, and hold nothing of it."""


@dataclass(slots=True)
class Notification:
    """One changed record."""

    id: str = ""
    case_id: str = ""
    """18 characters; empty: the record is none of a Case."""
    changed_at: datetime | None = None
    """When the Case itself says that it changed; None: it does not tell."""
    is_case: bool = False


@dataclass(slots=True)
class Envelope:
    """What one request tells."""

    org_id: str = ""
    action_id: str = ""
    notifications: list[Notification] = field(default_factory=list)


def parsed(body: bytes) -> Envelope:
    """Return what an Outbound Message tells, ids as 18 characters.

    Raises:
        EnvelopeRefused: it is not well-formed, has a document type, is too deep or too long, or
            lacks what every Outbound Message has.
    """
    reader = _Reader()
    parser = DefusedExpatParser(forbid_dtd=True)
    parser.setFeature(feature_namespaces, 1)
    parser.setContentHandler(reader)
    source = InputSource()
    source.setByteStream(BytesIO(body))
    try:
        parser.parse(source)
    except DefusedXmlException as error:
        raise EnvelopeRefused("It has a document type or entities.") from error
    except (SAXException, ValueError, LookupError) as error:
        raise EnvelopeRefused("It is not well-formed XML.") from error
    return reader.checked()


class _Reader(ContentHandler):
    """Walks through the elements and keeps the text of a handful of them."""

    def __init__(self) -> None:
        super().__init__()
        self._envelope = Envelope()
        self._path: list[str] = []
        self._elements = 0
        self._words: list[str] | None = None
        """Text of the element that we are in, where it is wanted."""

    def startElementNS(  # noqa: N802 - named by the SAX interface
        self, name: tuple[str | None, str], qname: str | None, attrs: AttributesNSImpl
    ) -> None:
        self._elements += 1
        self._path.append(_local(name, len(self._path)))
        if len(self._path) > DEEPEST:
            raise EnvelopeRefused(f"It is nested deeper than {DEEPEST} elements.")
        if self._elements > MOST_ELEMENTS:
            raise EnvelopeRefused(f"It has more than {MOST_ELEMENTS:,} elements.")
        if tuple(self._path) == _NOTIFICATION:
            self._envelope.notifications.append(Notification())
            if len(self._envelope.notifications) > MOST_NOTIFICATIONS:
                raise EnvelopeRefused(f"It has more than {MOST_NOTIFICATIONS} notifications.")
        self._words = [] if self._is_wanted() else None

    def characters(self, content: str) -> None:
        if self._words is None:
            return
        self._words.append(content)
        if sum(map(len, self._words)) > VALUE_CHARACTERS:
            raise EnvelopeRefused("An id is longer than any id is.")

    def endElementNS(  # noqa: N802 - named by the SAX interface
        self, name: tuple[str | None, str], qname: str | None
    ) -> None:
        if self._words is not None:
            self._keep(self._path[-1], "".join(self._words).strip())
        self._words = None
        self._path.pop()

    def checked(self) -> Envelope:
        """Return the whole envelope.

        Raises:
            EnvelopeRefused: an id is missing, or is none.
        """
        told = self._envelope
        if not told.notifications:
            raise EnvelopeRefused("It has no notification.")
        told.org_id = _id(told.org_id, ORGANISATION_PREFIX, "OrganizationId")
        told.action_id = _id(told.action_id, "", "ActionId")
        for one in told.notifications:
            one.id = _id(one.id, NOTIFICATION_PREFIX, "Notification Id")
            one.changed_at = one.changed_at if one.is_case else None
        return told

    def _is_wanted(self) -> bool:
        parents, name = tuple(self._path[:-1]), self._path[-1]
        if parents == _HEAD:
            return name in {"OrganizationId", "ActionId"}  # never SessionId
        if parents == _NOTIFICATION:
            return name == "Id"
        return parents == _RECORD and name in {*CASE_FIELDS, *STAMP_FIELDS}

    def _keep(self, name: str, value: str) -> None:
        depth = len(self._path) - 1
        if depth == len(_HEAD):
            if name == "OrganizationId":
                self._envelope.org_id = value
            else:
                self._envelope.action_id = value
            return
        one = self._envelope.notifications[-1]
        if depth == len(_NOTIFICATION):
            one.id = value
        elif name in STAMP_FIELDS:
            one.changed_at = max(filter(None, (one.changed_at, _moment(value))), default=None)
        elif value.startswith(CASE_PREFIX) and not one.is_case:
            # A Case names its parent Case, too: its own id counts, wherever it stands.
            one.case_id, one.is_case = _id(value, CASE_PREFIX, name), name == "Id"


def _local(name: tuple[str | None, str], depth: int) -> str:
    """Return an element's own name, marked where it is not of the namespace it should be of."""
    space, local = name
    if depth < len(_HEAD) - 1:
        return local if space == ENVELOPE else f"?{local}"
    if depth <= len(_NOTIFICATION):
        return local if space == OUTBOUND else f"?{local}"
    return local


def _id(text: str, prefix: str, what: str) -> str:
    try:
        if text.startswith(prefix):
            return full_id(text)
    except ValueError:
        pass
    raise EnvelopeRefused(f"Its {what} is none.")


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
