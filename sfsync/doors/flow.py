"""The answer to a Flow: why the customer wrote, and what to write into the Case."""

from collections.abc import Mapping
from time import perf_counter
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from classifier.answers import ToldDecision
from classifier.api.serializers import ClassifyIn, VerdictOut, WordsField
from classifier.api.views import PROBLEMS, ClassifyView, fresh_verdict
from classifier.engine.text import Turn
from classifier.models import Decision, Transcript
from classifier.models.remit import is_limited, within_remit
from sfsync.doors.case_ids import CaseIdField
from sfsync.field_map import Slot
from sfsync.handing_over import HandedOut, ToldCase, hand_over
from sfsync.sources.description import DescriptionSource
from sfsync.sources.source import merged

MAY_STORE = "classifier.add_transcript"
WORDS = ("text", "turns", "subject", "description")
FACT_CHARACTERS = 80


class CaseClassifyIn(ClassifyIn):
    """A conversation, or a Case as a Flow knows it: ``subject`` and ``description``."""

    case_id = CaseIdField(
        required=False,
        help_text="The Case's id: the decision is stored, and the answer tells what to write.",
    )
    subject = WordsField(required=False)
    description = WordsField(required=False)
    origin = serializers.CharField(
        required=False, allow_blank=True, max_length=FACT_CHARACTERS, default=""
    )
    record_type = serializers.CharField(
        required=False, allow_blank=True, max_length=FACT_CHARACTERS, default=""
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        is_case = "subject" in attrs or "description" in attrs
        if is_case + ("text" in attrs) + ("turns" in attrs) != 1:
            raise serializers.ValidationError(
                "Give text, or turns, or a Case's subject and description.", code="one_of"
            )
        if attrs["explain"] and "case_id" in attrs:
            raise serializers.ValidationError("explain goes without case_id.", code="one_of")
        return attrs

    @property
    def said(self) -> tuple[Turn, ...]:
        """What is to be classified; of a Case in the very words in which it will be pulled."""
        given = self.validated_data
        if "subject" not in given and "description" not in given:
            return super().said
        row = {
            "id": given.get("case_id", ""),
            "subject": given.get("subject", ""),
            "description": given.get("description", ""),
            "origin": given["origin"],
            "at": None,
        }
        return merged(DescriptionSource().turns([row]))


class CaseAnswerOut(serializers.Serializer[Any]):
    """What the Flow is to write into the Case, by what it is; null: leave that field alone."""

    id = serializers.CharField(help_text="The Case, 18 characters.")
    write = serializers.BooleanField(help_text="False: write nothing, and see why_not.")
    why_not = serializers.CharField(help_text="A sentence; empty where there is to write.")
    primary = serializers.CharField(
        allow_null=True, help_text="Salesforce’s value of the reason; null: a person must look."
    )
    all_reasons = serializers.CharField(allow_null=True, help_text="Values, “A;B”.")
    level_1 = serializers.CharField(allow_null=True)
    level_2 = serializers.CharField(allow_null=True)
    level_3 = serializers.CharField(allow_null=True)
    suggestion = serializers.CharField(allow_null=True)
    confidence = serializers.FloatField(allow_null=True, help_text="Per cent, 0 to 100.")
    source = serializers.CharField(  # type: ignore[assignment]  # a key
        allow_null=True, help_text="Who decided: Rules, Model, Rules and model, Needs review."
    )
    evidence = serializers.CharField(
        allow_null=True, help_text="Why, a sentence of up to 255 characters."
    )
    model = serializers.CharField(allow_null=True, help_text="Model and rules version.")
    decided_at = serializers.CharField(allow_null=True, help_text="Date and time in UTC.")
    case_fields = serializers.DictField(
        help_text="The same for Apex: API name of the Case field → value."
    )


class FlowAnswerOut(VerdictOut):
    case = CaseAnswerOut(allow_null=True, help_text="Null where no case_id was given.")


class CaseClassifyView(ClassifyView):
    """What is decided about a conversation, and why.

    Stores nothing, unless a ``case_id`` is given: then the decision stands for that Case, and
    the answer tells what the caller is to write into it, in the fields mapped for it.
    """

    serializer_class = CaseClassifyIn

    @extend_schema(request=CaseClassifyIn, responses={200: FlowAnswerOut, **PROBLEMS})
    def post(self, request: Request) -> Response:
        started = perf_counter()
        asked = CaseClassifyIn(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        if "case_id" not in given:
            told = VerdictOut(fresh_verdict(asked, started)).data
            return Response({**told, "case": None})
        _refuse_stranger(request, given["case_id"])
        case = ToldCase(given["case_id"], asked.said, given["origin"], given["record_type"])
        handed = hand_over(case)
        told = (
            VerdictOut(fresh_verdict(asked, started)).data
            if handed.decision is None
            else _told(handed.decision, started)
        )
        return Response({**told, "case": _answer(case.case_id, handed)})


def _refuse_stranger(request: Request, case_id: str) -> None:
    """Let only those in who may store words, and only to conversations of their own remit."""
    if not request.user.has_perm(MAY_STORE):
        raise PermissionDenied(
            "To store a decision you need the permission to add transcripts."
        )
    if not is_limited(request.user):
        return
    known = Transcript.objects.current().filter(thread=case_id)
    if known.exists() and not within_remit(known, request.user).exists():
        raise PermissionDenied("This Case belongs to a queue or team that is not yours.")


def _told(decision: Decision, started: float) -> Any:
    said = ToldDecision.of(decision)
    verdict = {
        "reasons": said.reasons,
        "suggestions": said.suggestions,
        "abstained": said.code is None,
        "doubt": said.doubt,
        "model": said.model,
        "rulebook": decision.rulebook_digest,
        "latency_ms": round((perf_counter() - started) * 1000, 2),
        "change": None,
    }
    return VerdictOut(verdict).data


def _answer(case_id: str, handed: HandedOut) -> Mapping[str, Any]:
    return {
        "id": case_id,
        "write": bool(handed.fields),
        "why_not": handed.why_not,
        **{slot.value: handed.slots.get(slot.value) for slot in Slot},
        "case_fields": dict(handed.fields),
    }
