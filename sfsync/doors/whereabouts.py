"""Where a Case is, for programs: the same line as in the admin, and its way through the trays."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from classifier import leases
from classifier.api.permissions import ModelPermissions
from classifier.api.views import PROBLEMS
from classifier.models.remit import within_remit
from sfsync.case_trace import load_trace
from sfsync.models import CaseLink
from sfsync.whereabouts import located

STATION = inline_serializer(
    "Station",
    {
        "name": serializers.CharField(
            help_text="noticed, read, decided, staged, sent or confirmed."
        ),
        "at": serializers.DateTimeField(allow_null=True),
        "waited_seconds": serializers.FloatField(allow_null=True),
        "waits_here": serializers.BooleanField(),
    },
    many=True,
)
WHEREABOUTS = inline_serializer(
    "Whereabouts",
    {
        "case_id": serializers.CharField(),
        "case_number": serializers.CharField(),
        "stage": serializers.CharField(),
        "told": serializers.CharField(help_text="One or two sentences."),
        "since": serializers.DateTimeField(allow_null=True),
        "merged_into": serializers.CharField(help_text="Case id; empty: not merged."),
        "way": STATION,
    },
)


class WhereaboutsView(GenericAPIView[CaseLink]):
    """Where one Case is, and how long it waited at each station. It tells no reason."""

    queryset = CaseLink.objects.all()
    permission_classes = (ModelPermissions,)
    lookup_field = "case_id"
    pagination_class = None
    filter_backends = ()

    def get_queryset(self) -> "QuerySet[CaseLink]":
        rows: QuerySet[CaseLink] = within_remit(super().get_queryset(), self.request.user)
        return rows

    @extend_schema(responses={200: WHEREABOUTS, **PROBLEMS})
    def get(self, request: Request, case_id: str) -> Response:
        link, moment = self.get_object(), leases.now()
        found = located([link], moment)[link.pk]
        return Response(
            {
                "case_id": link.case_id,
                "case_number": link.case_number,
                "stage": found.stage,
                "told": found.told,
                "since": found.since,
                "merged_into": link.merged_into,
                "way": [
                    {
                        "name": step.name,
                        "at": step.at,
                        "waited_seconds": step.waited.total_seconds() if step.waited else None,
                        "waits_here": step.waits_here,
                    }
                    for step in load_trace(link, moment)
                ],
            }
        )
