"""The door for Outbound Messages: kept, committed, acknowledged, and nothing believed."""

import logging
from secrets import compare_digest

from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from sfsync import ringing
from sfsync.doors.limits import BODY_BYTES, BodyTooLarge, body_of, is_crowded
from sfsync.doors.soap import ACK, Envelope, EnvelopeRefused, parsed
from sfsync.models import Connection, Doorbell
from sfsync.record_ids import full_id

logger = logging.getLogger(__name__)

DOOR = "outbound"
XML = "text/xml; charset=utf-8"
RETRY_SECONDS = 60


@csrf_exempt
def outbound_message(request: HttpRequest, secret: str) -> HttpResponse:
    """Keep up to 100 notifications in one transaction, then acknowledge them all.

    Nothing proves who sends: the address is the secret, and the organisation must be ours. So a
    notification makes a Case be read sooner and nothing else. Whatever is not answered by an
    ``Ack`` Salesforce sends again for 24 hours.
    """
    if not _is_known(secret):
        return _refusal(404, "There is nothing at this address.")
    if request.method != "POST":
        return _refusal(405, "Outbound Messages are sent by POST.", Allow="POST")
    if is_crowded(DOOR):
        return _refusal(429, "Too many requests; send again later.", **_later())
    if request.headers.get("Content-Encoding", "identity") != "identity":
        return _refusal(415, "Bodies are read as they are, not compressed.")
    try:
        envelope = parsed(body_of(request))
    except BodyTooLarge:
        return _refusal(413, f"A body may have up to {BODY_BYTES // 1_000_000} MB.")
    except EnvelopeRefused as error:
        return _refusal(400, f"This is no Outbound Message. {error}")
    try:
        return _kept(envelope)
    except DatabaseError as error:
        logger.error("door=%s kept=no cause=%s", DOOR, type(error).__name__)
        return _refusal(503, "The database does not answer; send again later.", **_later())


def _kept(envelope: Envelope) -> HttpResponse:
    if not _is_allowed(envelope):
        logger.warning("door=%s refused=organisation_or_action", DOOR)
        return _refusal(403, "This organisation or action is not on the list of this door.")
    rings = [
        ringing.Ring(one.id, one.case_id, one.changed_at)
        for one in envelope.notifications
        if one.case_id
    ]
    fresh = ringing.note_rings(Doorbell.Source.OUTBOUND, envelope.org_id, rings)
    logger.info("door=%s told=%d new=%d", DOOR, len(envelope.notifications), fresh)
    return HttpResponse(ACK, content_type=XML)


def _is_known(secret: str) -> bool:
    """Return whether the address holds one of our secrets, in a time that tells nothing of them."""
    given = secret.encode("utf-8", "surrogatepass")
    matches = [compare_digest(given, known.encode()) for known in settings.OUTBOUND_SECRETS]
    return any(matches)


def _is_allowed(envelope: Envelope) -> bool:
    """Return whether organisation and action are on our lists; ids are 18 characters here.

    Where no organisation is listed, it is the one that this database belongs to.
    """
    allowed = settings.OUTBOUND_ORGANISATIONS or [Connection.current().org_id]
    organisations = {full_id(one) for one in allowed if one}
    actions = {full_id(one) for one in settings.OUTBOUND_ACTIONS}
    is_action_ours = not actions or envelope.action_id in actions
    return envelope.org_id in organisations and is_action_ours


def _later() -> dict[str, str]:
    return {"Retry-After": str(RETRY_SECONDS)}


def _refusal(status: int, sentence: str, **headers: str) -> HttpResponse:
    response = HttpResponse(f"{sentence}\n", status=status, content_type="text/plain")
    for name, value in headers.items():
        response[name.replace("_", "-")] = value
    return response
