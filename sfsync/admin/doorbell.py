"""Rings at the doors: which Case was told of, and what came of it."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.safestring import SafeString

from classifier.admin.base import ModelAdmin, ReadOnly, ago, badge
from classifier.models.remit import is_limited, within_remit
from sfsync.models import CaseLink, Doorbell

TONES = {
    Doorbell.Heard.HINT: "good",
    Doorbell.Heard.EARLIER: "plain",
    Doorbell.Heard.LATER: "warn",
    Doorbell.Heard.MISSED: "warn",
}
MEANINGS: dict[str, str] = {
    "": "The Case is read within seconds; where the change is not visible yet, again until a"
    " quarter of an hour is over.",
    Doorbell.Heard.HINT: "The Case was read because of it, and had changed.",
    Doorbell.Heard.EARLIER: "The change had been read before, by an earlier ring or by asking.",
    Doorbell.Heard.LATER: "The change was not visible for a quarter of an hour; asking found it.",
    Doorbell.Heard.MISSED: "The Case was read again and again, and nothing had changed. Many of"
    " these: look at what the Flow or the Outbound Message is sent for.",
}


@admin.register(Doorbell)
class DoorbellAdmin(ReadOnly, ModelAdmin):
    list_display = ("case", "source", "rung", "state", "looks", "settled")
    list_filter = ("heard", "source")
    search_fields = ("case_id__exact", "notification_id__exact")
    search_help_text = "The whole Case id or notification id."
    ordering = ("-id",)
    show_full_result_count = False
    fields = (
        "case", "case_id", "source", "org_id", "notification_id", "received_at", "changed_at",
        "state", "meaning", "looks", "due_at", "heard_at",
    )  # fmt: skip
    readonly_fields = ("case", "state", "meaning", "looks")
    when_empty = (
        "Nothing has rung in the last seven days, so Cases are found by asking. A door opens"
        " with its secret in the environment: OUTBOUND_SECRETS for Outbound Messages,"
        " WEBHOOK_SECRETS for Apex; docs/salesforce-setup.md tells the steps in Salesforce."
        " This makes a secret:"
    )
    when_empty_command = "openssl rand -hex 32"

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        rows: QuerySet[Any] = super().get_queryset(request)
        if is_limited(request.user):
            own = within_remit(CaseLink.objects.all(), request.user)
            rows = rows.filter(case_id__in=own.values("case_id"))
        number = CaseLink.objects.filter(case_id=OuterRef("case_id")).values("case_number")
        told: QuerySet[Any] = rows.annotate(case_number=Subquery(number[:1]))
        return told

    @admin.display(description="Case")
    def case(self, ring: Doorbell) -> str:
        return getattr(ring, "case_number", "") or ring.case_id

    @admin.display(description="Rang", ordering="received_at")
    def rung(self, ring: Doorbell) -> SafeString | None:
        return ago(ring.received_at)

    @admin.display(description="What came of it", ordering="heard")
    def state(self, ring: Doorbell) -> SafeString:
        if not ring.heard:
            return badge("waits", "calm", MEANINGS[""])
        heard = Doorbell.Heard(ring.heard)
        return badge(heard.label, TONES[heard], MEANINGS[heard])

    @admin.display(description="What that means")
    def meaning(self, ring: Doorbell) -> str:
        return MEANINGS[ring.heard]

    @admin.display(description="Read without the change")
    def looks(self, ring: Doorbell) -> str:
        return {0: "never", 1: "once"}.get(ring.tries, f"{ring.tries} times")

    @admin.display(description="Settled", ordering="heard_at", empty_value="–")
    def settled(self, ring: Doorbell) -> SafeString | None:
        return ago(ring.heard_at)
