"""What lists can be narrowed by; a misspelt filter is refused instead of ignored."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

from classifier.models import Decision, Feedback

OF_THE_PAGE = {"cursor", "page_size"}


class StrictFilterBackend(DjangoFilterBackend):
    """Answers 400 to a parameter that no filter knows."""

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: APIView
    ) -> QuerySet[Any]:
        filter_class = self.get_filterset_class(view, queryset)
        known = OF_THE_PAGE | set(filter_class.base_filters if filter_class else ())
        if unknown := sorted(set(request.query_params) - known):
            choices = ", ".join(sorted(known))
            raise ValidationError(
                dict.fromkeys(unknown, f"There is no such filter; write one of {choices}."),
                code="unknown",
            )
        narrowed: QuerySet[Any] = super().filter_queryset(request, queryset, view)
        return narrowed


class DecisionFilter(django_filters.FilterSet):
    """Filters of /decisions."""

    source = django_filters.ChoiceFilter(choices=Decision.Source.choices)
    category = django_filters.CharFilter(field_name="category__code")
    thread = django_filters.CharFilter()
    decided_after = django_filters.IsoDateTimeFilter(field_name="decided_at", lookup_expr="gt")
    superseded = django_filters.BooleanFilter(
        method="with_superseded", label="Also decisions that a newer one replaced."
    )

    class Meta:
        model = Decision
        fields = ()

    @property
    def qs(self) -> QuerySet[Decision]:
        rows: QuerySet[Decision] = super().qs
        is_all_wanted = self.is_valid() and self.form.cleaned_data["superseded"]
        return rows if is_all_wanted else rows.filter(superseded_at=None)

    def with_superseded(
        self,
        rows: QuerySet[Decision],
        _name: str,
        _wanted: bool,  # noqa: FBT001 - called so
    ) -> QuerySet[Decision]:
        return rows


class FeedbackFilter(django_filters.FilterSet):
    """Filters of /feedback."""

    source = django_filters.ChoiceFilter(choices=Feedback.Source.choices)
    verdict = django_filters.ChoiceFilter(choices=Feedback.Verdict.choices)
    category = django_filters.CharFilter(field_name="category__code")
    thread = django_filters.CharFilter()
    said_after = django_filters.IsoDateTimeFilter(field_name="said_at", lookup_expr="gt")

    class Meta:
        model = Feedback
        fields = ()
