"""Where customers' words are read from: switches, sources of one's own, and a live test."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString

from classifier import leases
from classifier.admin.base import ModelAdmin, Textarea, ago, badge
from classifier.admin.lines import Lines
from classifier.models.remit import Remit
from sfsync import sampling
from sfsync.admin.case_page import case_url
from sfsync.admin.source_form import WHERE, Look, SourceForm, look_at, unique_code
from sfsync.admin.source_trial import TrialPage, trial_page
from sfsync.models import CaseLink, Source
from sfsync.source_switch import reader_for

SEES_WORDS = "classifier.view_transcript"
SEES_ALL = "classifier.see_all_conversations"


@admin.register(Source)
class SourceAdmin(ModelAdmin):
    list_display = ("name", "state", "reads", "asked", "off_because", "checked")
    search_fields = ("name", "sobject", "text_field")
    search_help_text = "Name, object or field."
    actions = ("switch_on", "switch_off")
    when_empty = "The sources appear as soon as an org is connected."
    when_empty_command = "python manage.py check_salesforce"
    change_form_after_template = "sfsync/source_trial.html"
    readonly_fields = ("off_because", "checked_at", "name_shown")
    conditional_fields = {
        "sobject": "kind == 'object'",
        "case_field": "kind == 'object'",
        "speaker_field": "speaker_rule == 'field'",
        "customer_names": "speaker_rule == 'field' || speaker_rule == 'lines'",
    }

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.try_view)
        return [
            path("try/", view, name="sfsync_source_try_new"),
            path("<int:pk>/try/", view, name="sfsync_source_try"),
            *super().get_urls(),
        ]

    def get_fieldsets(self, request: HttpRequest, obj: Source | None = None) -> Any:
        switches = ("is_enabled", "interval_seconds")
        known = ("off_because", "checked_at")
        if obj is not None and not obj.is_own:
            return [(None, {"fields": ("name_shown", *switches, *known)})]
        where = ("kind", "sobject", "case_field", "text_field", "time_field")
        who = ("speaker_rule", "speaker_field", "customer_names")
        shown = (*switches, *known) if obj else switches
        return [
            (None, {"fields": ("name", *shown)}),
            ("Where the words stand", {"fields": where}),
            ("Who says them", {"fields": who}),
        ]

    def get_form(
        self,
        request: HttpRequest,
        obj: Source | None = None,
        change: bool = False,  # noqa: FBT001, FBT002
        **kwargs: Any,
    ) -> Any:
        if obj is not None and not obj.is_own:
            return super().get_form(request, obj, change, **kwargs)
        look = getattr(request, "look", Look())
        form = type("SourceForm", (SourceForm,), {"look": look})
        return super().get_form(request, obj, change, **{**kwargs, "form": form})

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "kind":
            own = [one for one in db_field.choices if one[0] != Source.Kind.BUILT_IN]
            return super().formfield_for_dbfield(db_field, request, choices=own, **kwargs)
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "is_enabled" and field is not None:
            field.label = "Read it"
        if db_field.name != "customer_names" or field is None:
            return field
        return Lines(
            label="Names of the customer",
            required=False,
            help_text=f"One per line. {db_field.help_text}",
            widget=Textarea(attrs={"rows": 3}),
        )

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"kind": Source.Kind.OBJECT, **super().get_changeform_initial_data(request)}

    def has_delete_permission(self, request: HttpRequest, obj: Source | None = None) -> bool:
        is_built_in = obj is not None and not obj.is_own
        return not is_built_in and super().has_delete_permission(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: "QuerySet[Source]") -> None:
        super().delete_queryset(request, queryset.exclude(kind=Source.Kind.BUILT_IN))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Ask the org before the form is checked: that happens inside a transaction."""
        if request.method == "POST" and self._may_write(request) and "kind" in request.POST:
            request.look = look_at(request.POST)  # type: ignore[attr-defined]
        source = self.get_object(request, object_id) if object_id else None
        extra_context = {
            "may_try": self._may_try(request, source),
            "most_calls": sampling.MOST_CALLS,
            **(extra_context or {}),
        }
        page: HttpResponse = super().changeform_view(
            request, object_id, form_url, extra_context
        )
        return page

    def _may_write(self, request: HttpRequest) -> bool:
        return bool(self.has_add_permission(request) or self.has_change_permission(request))

    def save_model(
        self,
        request: HttpRequest,
        obj: Source,
        form: Any,
        change: bool,  # noqa: FBT001
    ) -> None:
        """Save; what is switched on or reads something else is read for open Cases as well."""
        if not change:
            obj.code = unique_code(obj.name)
        super().save_model(request, obj, form, change)
        is_switched = "is_enabled" in form.changed_data or not change
        is_elsewhere = not change or any(name in form.changed_data for name in WHERE)
        if is_switched or (is_elsewhere and obj.is_own):
            obj.switch(is_enabled=obj.is_enabled)
            self._read_again(request, [obj] if obj.is_enabled else [])
        look = getattr(request, "look", Look())
        if look.unknown:
            words = f"Saved, but not compared with the org. {look.unknown}"
            self.message_user(request, words, level="warning")

    def _read_again(self, request: HttpRequest, switched_on: list[Source]) -> None:
        if switched_on:
            number = CaseLink.objects.read_open_again(leases.now())
            if number:
                words = f"Read again with it: {number:,} open Case{'' if number == 1 else 's'}."
                self.message_user(request, words)

    @admin.action(description="Switch on", permissions=["change"])
    def switch_on(self, request: HttpRequest, sources: "QuerySet[Source]") -> None:
        switched = list(sources.filter(is_enabled=False))
        for source in switched:
            source.switch(is_enabled=True)
        self.message_user(request, f"{_counted(len(switched))} switched on.")
        self._read_again(request, switched)

    @admin.action(description="Switch off", permissions=["change"])
    def switch_off(self, request: HttpRequest, sources: "QuerySet[Source]") -> None:
        switched = list(sources)
        for source in switched:
            source.switch(is_enabled=False)
        words = f"{_counted(len(switched))} switched off, and so until a person says otherwise."
        self.message_user(request, words)

    def try_view(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        """Show the last five Cases as a source sees them; saved or as its form stands."""
        source = self.get_object(request, str(pk)) if pk else None
        if not self._may_try(request, source):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        page = self._tried(request, source)
        return TemplateResponse(request, "sfsync/source_trial_answer.html", {"trial": page})

    def _may_try(self, request: HttpRequest, source: Source | None) -> bool:
        """Return whether a person may see words of any Case, whosever it is."""
        user = request.user
        is_limited = not user.is_superuser and Remit.objects.of(user).exists()
        sees_words = user.has_perm(SEES_WORDS) and (not is_limited or user.has_perm(SEES_ALL))
        may = (
            self.has_change_permission(request, source) if source else self._may_write(request)
        )
        return bool(may and sees_words)

    def _tried(self, request: HttpRequest, source: Source | None) -> TrialPage:
        if source is None or source.is_own:
            request.look = look_at(request.POST)  # type: ignore[attr-defined]
            form = self.get_form(request, source)(request.POST, instance=source)
            if not form.is_valid():
                return TrialPage(mistakes=_mistakes(form))
            source = form.save(commit=False)
        reader = reader_for(source)
        if reader is None:
            return TrialPage(problem="This version of Contact Reason cannot read this source.")
        return trial_page(sampling.sample(reader), case_url)

    @admin.display(description="Name")
    def name_shown(self, source: Source) -> str:
        return source.name

    @admin.display(description="State", ordering="is_enabled")
    def state(self, source: Source) -> SafeString:
        if source.is_enabled:
            return badge("read", "good")
        return badge("off", "warn" if source.off_because else "plain", source.off_because)

    @admin.display(description="Reads")
    def reads(self, source: Source) -> str:
        reader = reader_for(source)
        if reader is None:
            return ""
        names = ", ".join(reader.text_fields)
        return f"{reader.watched.sobject}: {names}" if names else reader.watched.sobject

    @admin.display(description="Asked", ordering="interval_seconds")
    def asked(self, source: Source) -> str:
        if not source.interval_seconds:
            return "with every pull"
        return f"every {source.interval_seconds:,} s"

    @admin.display(description="Checked", ordering="checked_at")
    def checked(self, source: Source) -> SafeString | None:
        return ago(source.checked_at)


def _counted(sources: int) -> str:
    return f"{sources} source{'' if sources == 1 else 's'}"


def _mistakes(form: SourceForm) -> list[str]:
    return [
        f"{form.fields[name].label}: {sentence}" if name in form.fields else str(sentence)
        for name, sentences in form.errors.items()
        for sentence in sentences
    ]
