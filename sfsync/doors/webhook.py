"""The signed webhook (Standard Webhooks): for Apex, and for anything else that can sign."""

import re
from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any

from django.conf import settings
from django.db import Error as DatabaseError
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import (
    APIException,
    NotFound,
    ParseError,
)
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView
from standardwebhooks import Webhook, WebhookVerificationError

from classifier.api.parsers import BodyTooLarge, BoundedJSONParser
from classifier.api.serializers import ProblemOut, StrictSerializer
from sfsync import ringing
from sfsync.doors.case_ids import CaseIdField
from sfsync.doors.limits import BODY_BYTES, MINUTE_SECONDS, is_crowded
from sfsync.models import Connection, Doorbell
from sfsync.models.doorbell import NOTIFICATION_CHARACTERS

DOOR = "webhook"
MOST_CASES = 200
"""As many as one Apex trigger is given at a time."""
ID_FORM = re.compile(rf"[!-~]{{1,{NOTIFICATION_CHARACTERS}}}")
PROBLEMS = {("4XX", "application/problem+json"): ProblemOut}


class DatabaseSilent(APIException):
    """Nothing could be kept: to be sent again."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "unavailable"
    default_detail = "The database does not answer; send again later."
    wait = MINUTE_SECONDS


class BadSignature(APIException):
    """Whoever sent it does not know our secret, or sent it too long ago."""

    status_code = status.HTTP_401_UNAUTHORIZED
    default_code = "bad_signature"
    default_detail = (
        "The signature is missing or wrong, or it was made more than five minutes ago."
    )


class SignedBody(BaseParser):
    """The bytes as they came: the signature is of these, not of what they mean."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the bytes.

        Raises:
            BodyTooLarge: more than ``BODY_BYTES``.
        """
        body: bytes = stream.read(BODY_BYTES + 1)
        if len(body) > BODY_BYTES:
            raise BodyTooLarge(f"A body may have up to {BODY_BYTES // 1_000_000} MB here.")
        return body


class DoorThrottle(BaseThrottle):
    """The rate of this one door, whoever knocks."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        return not is_crowded(DOOR)

    def wait(self) -> float:
        return float(MINUTE_SECONDS)


class RungIn(StrictSerializer):
    """What changed; nothing of it is believed, each Case is read afresh."""

    case_ids = serializers.ListField(child=CaseIdField(), min_length=1, max_length=MOST_CASES)
    changed_at = serializers.DateTimeField(
        required=False,
        help_text="The Cases’ SystemModstamp: the change is waited for until it is visible.",
    )


class RungOut(serializers.Serializer[Any]):
    """What is kept."""

    accepted = serializers.IntegerField(
        help_text="Cases that will be read at once; 0: this webhook-id was accepted before."
    )


class WebhookView(APIView):
    """Cases that changed. 202 once it is kept; the same ``webhook-id`` counts once in 7 days."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    parser_classes = (SignedBody,)
    throttle_classes = (DoorThrottle,)

    @extend_schema(request=RungIn, responses={202: RungOut, **PROBLEMS}, auth=[])
    def post(self, request: Request) -> Response:
        body = _signed(request)
        rung = RungIn(data=BoundedJSONParser().parse(BytesIO(body)))
        rung.is_valid(raise_exception=True)
        notification = request.headers["webhook-id"]
        if not ID_FORM.fullmatch(notification):
            raise ParseError(
                f"A webhook-id has 1 to {NOTIFICATION_CHARACTERS} characters, and no blanks."
            )
        rings = [
            ringing.Ring(notification, case_id, rung.validated_data.get("changed_at"))
            for case_id in dict.fromkeys(rung.validated_data["case_ids"])
        ]
        try:
            org_id = Connection.current().org_id
            fresh = ringing.note_rings(Doorbell.Source.WEBHOOK, org_id, rings)
        except DatabaseError as error:
            raise DatabaseSilent from error
        return Response(RungOut({"accepted": fresh}).data, status=status.HTTP_202_ACCEPTED)


def _signed(request: Request) -> bytes:
    """Return the body, signed with one of our secrets within the last five minutes.

    Raises:
        NotFound: the door is shut.
        BadSignature: the signature is missing, wrong, too old or too new.
    """
    if not settings.WEBHOOK_SECRETS:
        raise NotFound("This door is shut: no WEBHOOK_SECRETS are set.")
    body = request.data if isinstance(request.data, bytes) else b""
    matches = [_is_signed(secret, body, request) for secret in settings.WEBHOOK_SECRETS]
    if not any(matches):
        raise BadSignature
    return body


def _is_signed(secret: str, body: bytes, request: Request) -> bool:
    try:
        Webhook(secret).verify(body, dict(request.headers), json_parse=False)
    except (WebhookVerificationError, ValueError):  # the latter: no base64, no UTF-8
        return False
    return True
