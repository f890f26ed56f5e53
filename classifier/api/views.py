"""The API's addresses: parse, call, render."""

from time import perf_counter
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from classifier import reviewing, serving
from classifier.answers import ToldChange, ToldDecision, ToldVerdict, path_labels
from classifier.api.filters import DecisionFilter, FeedbackFilter, StrictFilterBackend
from classifier.api.pagination import ByCode, NewestFirst
from classifier.api.parsers import BoundedJSONParser, TranscriptParser
from classifier.api.permissions import MayClassify, ModelPermissions
from classifier.api.serializers import (
    CategoryOut,
    ClassifyIn,
    DecisionOut,
    FeedbackIn,
    FeedbackOut,
    ProblemOut,
    VerdictOut,
)
from classifier.engine.errors import TranscriptTooLarge
from classifier.engine.intake import admitted
from classifier.engine.text import Transcript as Words
from classifier.models import Category, Decision, DecisionReason, Feedback, Transcript
from classifier.models.blindness import without_hidden
from classifier.models.model_version import LARGE_OF_MODEL
from classifier.models.remit import within_remit

PROBLEMS = {(f"{kind}XX", "application/problem+json"): ProblemOut for kind in (4, 5)}


class WordsTooMany(APIException):
    """The conversation has more words than the engine reads."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = TranscriptTooLarge.code


class ClassifyView(GenericAPIView[Category]):
    """What would be decided about a conversation, and why. Stores nothing."""

    queryset = Category.objects.none()
    permission_classes = (MayClassify,)
    parser_classes = (TranscriptParser,)
    serializer_class = ClassifyIn
    pagination_class = None
    filter_backends = ()

    @extend_schema(request=ClassifyIn, responses={200: VerdictOut, **PROBLEMS})
    def post(self, request: Request) -> Response:
        started = perf_counter()
        asked = ClassifyIn(data=request.data)
        asked.is_valid(raise_exception=True)
        return Response(VerdictOut(fresh_verdict(asked, started)).data)


def fresh_verdict(asked: ClassifyIn, started: float) -> ToldVerdict:
    """Return what would be decided about the words of a valid request; nothing is stored.

    ``started``: when the request came, by ``perf_counter``.

    Raises:
        WordsTooMany: the engine does not read so many.
    """
    try:
        said = admitted(Words(asked.said))
    except TranscriptTooLarge as error:
        raise WordsTooMany(str(error)) from error
    current = serving.current()
    (verdict,) = current.classify([said])
    change = (
        ToldChange.of(current.counterfactual(said), said, path_labels(current.taxonomy))
        if asked.validated_data["explain"]
        else None
    )
    return ToldVerdict.of(
        verdict,
        [turn.text for turn in said.turns],
        current,
        seconds=perf_counter() - started,
        change=change,
    )


class CategoryView(mixins.ListModelMixin, GenericAPIView[Category]):
    """All categories, also inactive ones, in the order of their codes."""

    queryset = Category.objects.with_parents()
    permission_classes = (ModelPermissions,)
    serializer_class = CategoryOut
    pagination_class = ByCode
    filter_backends = (StrictFilterBackend,)

    @extend_schema(responses={200: CategoryOut(many=True), **PROBLEMS})
    def get(self, request: Request) -> Response:
        return self.list(request)


class DecisionView(mixins.ListModelMixin, GenericAPIView[Decision]):
    """The standing decisions, newest first; with ``superseded=true`` the replaced ones too.

    Who may answer reviews does not see those whose blind audit is open.
    """

    queryset = Decision.objects.all()
    permission_classes = (ModelPermissions,)
    serializer_class = DecisionOut
    pagination_class = NewestFirst
    filter_backends = (StrictFilterBackend,)
    filterset_class = DecisionFilter

    def get_queryset(self) -> QuerySet[Decision]:
        reasons = DecisionReason.objects.select_related("category__parent__parent__parent")
        rows = (
            Decision.objects.select_related(
                "category__parent__parent__parent", "transcript", "model_version"
            )
            .defer(*(f"model_version__{name}" for name in LARGE_OF_MODEL))
            .prefetch_related(Prefetch("reasons", reasons))
        )
        return without_hidden(within_remit(rows, self.request.user), self.request.user)

    @extend_schema(responses={200: DecisionOut(many=True), **PROBLEMS})
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        told = [ToldDecision.of(decision) for decision in page or ()]
        return self.get_paginated_response(DecisionOut(told, many=True).data)


class FeedbackView(mixins.ListModelMixin, GenericAPIView[Feedback]):
    """What people said about decisions, newest first; and the place to say more."""

    queryset = Feedback.objects.select_related("category")
    permission_classes = (ModelPermissions,)
    parser_classes = (BoundedJSONParser,)
    serializer_class = FeedbackOut
    pagination_class = NewestFirst
    filter_backends = (StrictFilterBackend,)
    filterset_class = FeedbackFilter

    def get_queryset(self) -> QuerySet[Feedback]:
        return within_remit(super().get_queryset(), self.request.user, "transcript__")

    @extend_schema(responses={200: FeedbackOut(many=True), **PROBLEMS})
    def get(self, request: Request) -> Response:
        return self.list(request)

    @extend_schema(
        request=FeedbackIn,
        responses={
            201: FeedbackOut,
            200: OpenApiResponse(FeedbackOut, "This reference was heard before."),
            **PROBLEMS,
        },
    )
    def post(self, request: Request) -> Response:
        """Keep a person's word; where it names a category, that decision stands."""
        said = FeedbackIn(data=request.data)
        said.is_valid(raise_exception=True)
        try:
            self._refuse_beyond_remit(said.validated_data["thread"], request)
            heard = reviewing.hear_word(
                **_word(said.validated_data, request), source=Feedback.Source.API
            )
        except Transcript.DoesNotExist as error:
            raise ValidationError(
                {"thread": "There is no conversation of this name here."}, code="unknown"
            ) from error
        code = status.HTTP_201_CREATED if heard.is_new else status.HTTP_200_OK
        return Response(FeedbackOut(heard.feedback).data, status=code)

    def _refuse_beyond_remit(self, thread: str, request: Request) -> None:
        """A conversation of other queues and teams is answered like one that is not there."""
        known = Transcript.objects.current().filter(thread=thread)
        if not within_remit(known, request.user).exists():
            raise Transcript.DoesNotExist


def _word(said: dict[str, Any], request: Request) -> dict[str, Any]:
    primary, further = said.pop("category"), said.pop("further", [])
    return {
        **said,
        "categories": [primary, *further] if primary else [],
        "person": said["person"] or request.user.get_username(),
        "said_at": timezone.now(),
        "decided_by": request.user,
    }
