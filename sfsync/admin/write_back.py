"""The outbox: what was or will be written to which Case, and how it ended."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from classifier.admin.base import ModelAdmin, ReadOnly, WithinRemit, ago, badge
from classifier.admin.blind import hidden
from classifier.admin.shown_text import visible
from classifier.models.blindness import is_hidden_from
from sfsync import replaying
from sfsync.admin.case_page import case_url
from sfsync.admin.given_up import GivenUpPages
from sfsync.models import WriteBack

OUTCOME_TONES = {
    WriteBack.Outcome.DELIVERED: "good",
    WriteBack.Outcome.UNCHANGED: "good",
    WriteBack.Outcome.CEDED: "calm",
    WriteBack.Outcome.SUPERSEDED: "plain",
    WriteBack.Outcome.GONE: "plain",
    WriteBack.Outcome.DEAD: "bad",
}
HOLDS = {
    WriteBack.Hold.SHADOW: "Shadow mode: this is what would have been written.",
    WriteBack.Hold.SCOPE: "The Case is outside the scope set under Connection.",
    WriteBack.Hold.PICKLIST: "The org’s picklist lacks this value. Deploy it, then it goes on:",
    WriteBack.Hold.FIELD: "No mapped Case field can be written. See Field mapping.",
    WriteBack.Hold.BACKFILL: "Waits until somebody approves its backfill. See Backfill.",
}
ENDINGS: dict[str, str] = {
    WriteBack.Outcome.CEDED: "A person set the reason in Salesforce, and their word stands.",
    WriteBack.Outcome.UNCHANGED: "The Case already says so.",
    WriteBack.Outcome.SUPERSEDED: "A newer decision took its place.",
    WriteBack.Outcome.GONE: "The Case was deleted in Salesforce.",
}


class OutboxFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [
            ("due", "waiting to be written"),
            ("held", "held back"),
            ("failing", "failing"),
            ("given_up", "given up"),
        ]

    def queryset(
        self, request: HttpRequest, queryset: "QuerySet[WriteBack]"
    ) -> "QuerySet[WriteBack]":
        match self.value():
            case "due":
                return queryset.filter(ended_at=None, due_at__isnull=False)
            case "given_up":
                dead = WriteBack.objects.dead_letters().values("pk")
                return queryset.filter(pk__in=dead)
            case "held":
                return queryset.filter(ended_at=None).exclude(held_because="")
            case "failing":
                return queryset.filter(ended_at=None, first_failed_at__isnull=False)
            case _:
                return queryset


@admin.register(WriteBack)
class WriteBackAdmin(GivenUpPages, WithinRemit, ReadOnly, ModelAdmin):
    remit_path = "case_link__"
    list_display = ("case", "state", "what", "why", "tries", "staged")
    list_filter = (OutboxFilter, "outcome", "held_because", "staged_at")
    list_select_related = ("case_link",)
    search_fields = ("case_link__case_number__exact", "case_link__case_id__exact")
    search_help_text = "The whole Case number or Case id."
    actions = ("try_out", "deliver_again")
    list_before_template = "sfsync/write_back_top.html"
    fields = (
        "case", "in_salesforce", "state", "why", "field_table", "tries", "staged_at", "due_at",
        "ended_at", "first_failed_at", "error_code", "error_text", "by_people",
    )  # fmt: skip
    readonly_fields = (
        "case", "in_salesforce", "state", "why", "field_table", "tries", "by_people",
    )  # fmt: skip
    when_empty = (
        "As soon as a Case is decided, what is to be written to Salesforce appears here, also in "
        "shadow mode, where it is only shown. To let it be written:"
    )
    when_empty_command = "python manage.py set_mode automatic"

    def get_queryset(self, request: HttpRequest) -> "QuerySet[WriteBack]":
        rows: QuerySet[WriteBack] = super().get_queryset(request)
        return rows.annotate(is_hidden=is_hidden_from(request.user, "case_link__case_id"))

    def has_deliver_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("sfsync.change_writeback")

    @admin.action(description="Deliver again", permissions=["deliver"])
    def deliver_again(self, request: HttpRequest, rows: "QuerySet[WriteBack]") -> None:
        asked = rows.count()
        again = replaying.replay(rows, by=request.user.get_username())
        self.message_user(
            request,
            f"{again} of {asked} write-backs will be delivered again. One that was replaced by a "
            "newer decision stays as it is.",
            messages.SUCCESS if again else messages.WARNING,
        )

    @admin.display(description="What people did")
    def by_people(self, row: WriteBack) -> SafeString | str:
        told = []
        if row.replayed_at:
            times = "once" if row.replays == 1 else f"{row.replays} times"
            who = row.replayed_by or "somebody"
            told.append(
                format_html("Sent again {}, last by {} {}.", times, who, ago(row.replayed_at))
            )
        if row.closed_at:
            who = row.closed_by or "somebody"
            told.append(
                format_html("Closed by {} {}: {}", who, ago(row.closed_at), row.closed_note)
            )
        return format_html_join(" ", "{}", ((one,) for one in told)) or "Nothing."

    @admin.display(description="Case", ordering="case_link__case_number")
    def case(self, row: WriteBack) -> str:
        return str(row.case_link)

    @admin.display(description="In Salesforce")
    def in_salesforce(self, row: WriteBack) -> SafeString | str:
        url = case_url(row.case_link.case_id)
        if not url:
            return "This Case lives in the local org."
        return format_html(
            '<a class="cr-link" href="{}" rel="noreferrer">Open the Case</a>', url
        )

    @admin.display(description="State", ordering="outcome")
    def state(self, row: WriteBack) -> SafeString:
        if row.closed_at:
            return badge("closed", "plain", row.closed_note)
        if row.outcome:
            tone = OUTCOME_TONES[WriteBack.Outcome(row.outcome)]
            return badge(row.get_outcome_display(), tone)
        if row.held_because:
            return badge("held back", "warn", row.get_held_because_display())
        if row.first_failed_at:
            return badge("will be tried again", "warn", row.error_code)
        return badge("waiting to be written", "calm")

    @admin.display(description="What")
    def what(self, row: WriteBack) -> SafeString:
        if _is_hidden(row):
            return hidden()
        values = (row.sent_fields or row.fields).values()
        words = dict.fromkeys(value for value in values if value and isinstance(value, str))
        told = ", ".join(shown(word).replace(";", "; ") for word in list(words)[:2])
        return format_html('<span class="cr-long">{}</span>', told or "nothing")

    @admin.display(description="Why")
    def why(self, row: WriteBack) -> SafeString | str | None:
        if row.held_because:
            words = HOLDS.get(WriteBack.Hold(row.held_because), row.get_held_because_display())
            return words if _is_hidden(row) else f"{words} {row.hold_detail}".strip()
        if row.outcome in ENDINGS:
            return ENDINGS[row.outcome]
        if row.error_code:
            told = visible(f"{row.error_code}: {row.error_text}"[:200])
            return format_html('<span class="cr-long">{}</span>', told)
        return None

    @admin.display(description="Fields")
    def field_table(self, row: WriteBack) -> SafeString:
        if _is_hidden(row):
            return hidden()
        names = list(dict.fromkeys([*row.fields, *row.sent_fields]))
        rows = [
            (name, shown(row.fields.get(name)), shown(row.sent_fields.get(name)))
            for name in names
        ]
        return format_html(
            '<div class="cr-scroll"><table class="cr-facts"><tr><th>Case field</th>'
            "<th>Decided</th><th>Sent</th></tr>{}</table></div>",
            format_html_join("", "<tr><th>{}</th><td>{}</td><td>{}</td></tr>", rows),
        )

    @admin.display(description="Tries", ordering="attempts")
    def tries(self, row: WriteBack) -> int:
        return row.attempts

    @admin.display(description="Decided", ordering="staged_at")
    def staged(self, row: WriteBack) -> SafeString | None:
        return ago(row.staged_at)

    @admin.display(description="Ended", ordering="ended_at")
    def ended(self, row: WriteBack) -> SafeString | None:
        return ago(row.ended_at)


def _is_hidden(row: WriteBack) -> bool:
    return bool(getattr(row, "is_hidden", False))


def shown(value: object) -> str:
    """Return a field's value for reading, its control characters made visible."""
    if value is None or value == "":
        return "–"
    text = visible(str(value))
    return text if len(text) <= 300 else f"{text[:299]}…"  # noqa: PLR2004 - a line or three
