"""Cases by how they stand: the filter of their list."""

from collections.abc import Callable

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from sfsync.models import CaseLink, WriteBack


def _given_up() -> Q:
    return Q(pk__in=WriteBack.objects.dead_letters().values("case_link"))


def _held() -> Q:
    held = WriteBack.objects.unended().exclude(held_because="")
    return Q(pk__in=held.values("case_link"), gone_at=None)


STATES: dict[str, tuple[str, Callable[[], Q]]] = {
    "unreadable": ("could not be read", lambda: ~Q(read_error="")),
    "to_read": ("to be read", lambda: Q(read_due_at__isnull=False, gone_at=None)),
    "failed": ("given up", _given_up),
    "held": ("held back", _held),
    "ceded": ("ceded to a person", lambda: Q(ceded_at__isnull=False)),
    "handed_back": (
        "given back by a person",
        lambda: Q(handed_back_at__isnull=False, ceded_at=None),
    ),
    "merged": ("merged into another Case", lambda: ~Q(merged_into="")),
    "unrung": ("found by asking only", lambda: Q(found_unrung_at__isnull=False)),
    "gone": ("gone from Salesforce", lambda: Q(gone_at__isnull=False)),
}


class CaseStateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(code, words) for code, (words, _) in STATES.items()]

    def queryset(
        self, request: HttpRequest, queryset: "QuerySet[CaseLink]"
    ) -> "QuerySet[CaseLink]":
        _, condition = STATES.get(self.value() or "", ("", Q))
        return queryset.filter(condition())
