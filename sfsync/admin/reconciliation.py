"""The weekly check: what the pull had missed."""

from django.contrib import admin
from django.utils.safestring import SafeString

from classifier.admin.base import ModelAdmin, ReadOnly, ago, badge
from sfsync.models import Reconciliation


@admin.register(Reconciliation)
class ReconciliationAdmin(ReadOnly, ModelAdmin):
    list_display = ("span", "missed_badge", "gone", "looked", "calls", "started", "state")
    fields = (
        "since", "until", "looked_at", "missed", "gone", "calls", "started_at", "ended_at", "error",
    )  # fmt: skip
    when_empty = (
        "Once a week every Case of the last 30 days is looked at, and what the pull had missed is"
        " counted here. The first check comes when Cases have been pulled; it should find none."
    )

    @admin.display(description="Cases changed between", ordering="since")
    def span(self, run: Reconciliation) -> str:
        return str(run)

    @admin.display(description="Missed by the pull", ordering="missed")
    def missed_badge(self, run: Reconciliation) -> SafeString:
        return badge(f"{run.missed:,}", "bad" if run.missed else "good")

    @admin.display(description="Cases looked at", ordering="looked_at")
    def looked(self, run: Reconciliation) -> str:
        return f"{run.looked_at:,}"

    @admin.display(description="Started", ordering="started_at")
    def started(self, run: Reconciliation) -> SafeString | None:
        return ago(run.started_at)

    @admin.display(description="State")
    def state(self, run: Reconciliation) -> SafeString:
        if run.error:
            return badge("failed", "bad", run.error)
        if run.ended_at:
            return badge("done", "good")
        return badge(f"{run.share:.0%} done", "calm")
