"""The report that all of this is for: why customers contact us."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from classifier.admin.reason_views import Links, shown
from classifier.models import Category, Decision, DecisionReason
from classifier.reporting import (
    AUTOMATION,
    FACETS,
    Compared,
    Decider,
    Level,
    Question,
    Reach,
    Report,
    last_weeks,
    report,
    report_book,
    report_table,
)
from classifier.spreadsheets import CSV, XLSX, written, written_book

OWN_DATES = ""
USUAL_WEEKS = "12"
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
MOST_WEEKS = 106
"""Two years: more bars than this nobody tells apart."""


class ReasonForm(forms.Form):
    """What the page asks; every field has a usual answer."""

    weeks = forms.ChoiceField(
        choices=[
            *((str(count), f"the last {count} weeks") for count in (4, 8, 12, 26, 52)),
            (OWN_DATES, "from … to …"),
        ],
        required=False,
        label="Period",
    )
    start = forms.DateField(required=False, label="From")
    until = forms.DateField(required=False, label="To, this day included")
    level = forms.ChoiceField(
        choices=[(Level.TOP, "top categories"), (Level.LEAF, "every category")],
        required=False,
        label="Reasons",
    )
    reach = forms.ChoiceField(
        choices=[(Reach.PRIMARY, "the primary reason"), (Reach.ALL, "all its reasons")],
        required=False,
        label="Count of a contact",
    )
    reason = forms.ModelChoiceField(Category.objects.all(), required=False)
    source = forms.ChoiceField(
        choices=[
            (Decider.ANYBODY, "anybody"),
            (Decider.AUTOMATION, "automation"),
            *Decision.Source.choices[:4],
        ],
        required=False,
        label="Decided by",
    )
    compare = forms.ChoiceField(
        choices=[
            (Compared.LAST_WEEK, "the last full week"),
            (Compared.THIS_WEEK, "this week so far"),
            (Compared.PERIOD, "the whole period"),
        ],
        required=False,
        label="What rose or fell in",
    )
    across = forms.ChoiceField(
        choices=list(FACETS.items()), required=False, label="Reasons against"
    )
    minutes = forms.DecimalField(
        required=False,
        min_value=0,
        max_value=60,
        max_digits=4,
        decimal_places=2,
        label="Minutes to tag one by hand",
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        start, until = cleaned.get("start"), cleaned.get("until")
        if "weeks" in self.data and cleaned.get("weeks") == OWN_DATES and not self.errors:
            if not start or not until:
                self.add_error("start", "Give both dates, the first and the last day.")
            elif until < start:
                self.add_error("until", "The last day lies before the first one.")
            elif (until - start).days > 7 * MOST_WEEKS:
                self.add_error("until", "At most two years fit on the page.")
        return cleaned


def question_of(asked: QueryDict, now: datetime) -> tuple[Question, ReasonForm]:
    """Return the question, and the form with its mistakes; a wrong answer becomes the usual."""
    values: dict[str, Any] = asked.dict()
    values.setdefault("weeks", USUAL_WEEKS)
    form = ReasonForm(values)
    is_valid = form.is_valid()
    given = form.cleaned_data
    start, end = last_weeks(int(given.get("weeks") or USUAL_WEEKS), now)
    if is_valid and given["weeks"] == OWN_DATES:
        start = datetime.combine(given["start"], time(), UTC)
        end = datetime.combine(given["until"], time(), UTC) + timedelta(days=1)
    category = given.get("reason")
    question = Question(
        start=max(start, EARLIEST),
        end=end,
        now=now,
        level=Level(given.get("level") or Level.TOP),
        reach=Reach(given.get("reach") or Reach.PRIMARY),
        compared=Compared(given.get("compare") or Compared.LAST_WEEK),
        across=given.get("across") or "channel",
        source=given.get("source") or "",
        category_id=category.pk if category else None,
        facets=tuple((name, values[name]) for name in FACETS if name in values),
    )
    return question, form


class ReasonPages:
    """Adds the report to the pages of decisions."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view  # type: ignore[attr-defined]
        own = [
            path("reasons/", view(self.reasons), name="classifier_decision_reasons"),
            path("reasons/file/", view(self.file), name="classifier_decision_reasons_file"),
        ]
        return [*own, *super().get_urls()]  # type: ignore[misc]

    def reasons(self, request: HttpRequest) -> HttpResponse:
        """Show the report."""
        question, form = self._asked(request)
        found = report(question, request.user)
        links = Links(
            page=reverse("admin:classifier_decision_reasons"),
            decisions=reverse("admin:classifier_decision_changelist"),
            question=question,
            asked=request.GET,
        )
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "title": "Why customers contact us",
            "form": form,
            "report": found,
            "view": shown(found, links, is_long=request.GET.get("rows") == "all"),
            **_rightness(found),
            "hours_saved": _hours_saved(found, form.cleaned_data.get("minutes")),
            "files": [
                (one.label, self._file_address(request.GET, one.code)) for one in (CSV, XLSX)
            ],
        }
        return TemplateResponse(request, "classifier/reasons.html", context)

    def file(self, request: HttpRequest) -> HttpResponse:
        """Send the report as a file: figures only, so whoever may see it may take it away."""
        question, _ = self._asked(request)
        found = report(question, request.user)
        if request.GET.get("form") == XLSX.code:
            form, content = XLSX, written_book(report_book(found))
        else:
            form, content = CSV, b"".join(written(CSV, *report_table(found)))
        name = f"contact-reasons-{question.start:%Y%m%d}-{question.end:%Y%m%d}.{form.code}"
        return HttpResponse(
            content,
            content_type=form.media_type,
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def _asked(self, request: HttpRequest) -> tuple[Question, ReasonForm]:
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        return question_of(request.GET, timezone.now())

    def _file_address(self, asked: QueryDict, code: str) -> str:
        kept = {**asked.dict(), "form": code}
        return f"{reverse('admin:classifier_decision_reasons_file')}?{urlencode(kept)}"


class ReportedReasonFilter(admin.SimpleListFilter):
    """Lists the decisions behind a number of the report: ``ID``, ``-below`` and ``-any``.

    Shown only when a link of the report set it.
    """

    title = "reason of the report"
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        value = request.GET.get(self.parameter_name, "")
        category = Category.objects.with_parents().filter(pk=_id_of(value)).first()
        if category is None:
            return []
        words = category.path_label
        words += " and below" * ("-below" in value) + ", also beside others" * ("-any" in value)
        return [(value, words)]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        value = self.value()
        if value is None:
            return queryset
        wanted = {_id_of(value)}
        if "-below" in value:
            code = Category.objects.filter(pk=_id_of(value)).values_list("code", flat=True)
            wanted = Category.objects.subtree(code.first() or "")
        if "-any" not in value:
            return queryset.filter(category__in=wanted)
        named = DecisionReason.objects.filter(is_suggestion=False, category__in=wanted)
        return queryset.filter(pk__in=named.values("decision"))


def _id_of(value: str) -> int:
    number = value.split("-", maxsplit=1)[0]
    return int(number) if number.isdecimal() and len(number) < 10 else 0  # noqa: PLR2004


def _rightness(found: Report) -> dict[str, str]:
    share = found.rightness
    if share is None:
        return {}
    return {
        "right": f"{100 * share.value:.0f} %",
        "right_low": f"{100 * share.low:.0f} %",
        "right_high": f"{100 * share.high:.0f} %",
    }


def _hours_saved(found: Report, minutes: Decimal | None) -> float | None:
    """Return the hours of tagging that automation did; None where nobody said what one takes."""
    if not minutes:
        return None
    by_automation = sum(found.sources.get(source, 0) for source in AUTOMATION)
    return by_automation * float(minutes) / 60
