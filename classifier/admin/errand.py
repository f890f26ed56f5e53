"""Errands: who asked for what, how far it is, what came of it, and the file to fetch."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    JsonResponse,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.http import content_disposition_header
from django.utils.safestring import SafeString

from classifier import leases
from classifier.admin.base import ModelAdmin, ReadOnly, ago, badge
from classifier.errands import ERRANDS_KEPT, FILES_KEPT
from classifier.models import Errand
from classifier.models.remit import SEES_ALL

MINUTE, HOUR = 60, 3600  # seconds


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of errand is called, and where to see what came of it."""

    title: str
    page: Callable[[Errand], str] | None = None
    """Address of the page for a finished errand; None: its own page says all there is."""


KINDS: dict[str, Kind] = {}
"""Kind of errand → how it is shown; each admin module adds its own."""


def title_of(errand: Errand) -> str:
    """Return what the errand is called, also where this page does not know its kind."""
    kind = KINDS.get(errand.kind)
    return kind.title if kind else errand.kind.replace("_", " ").capitalize()


@admin.register(Errand)
class ErrandAdmin(ReadOnly, ModelAdmin):
    list_display = ("what", "who", "asked", "state", "took")
    list_filter = ("kind",)
    list_select_related = ("asked_by",)
    list_per_page = 25
    when_empty = (
        "Longer work that somebody asks for is listed here while it is done and for "
        f"{ERRANDS_KEPT.days} days after: trainings, comparisons, exports, assessments."
    )

    def get_urls(self) -> list[URLPattern]:
        own = self.admin_site.admin_view
        return [
            path(
                "<int:pk>/progress/", own(self.progress_view), name="classifier_errand_progress"
            ),
            path("<int:pk>/result/", own(self.result_view), name="classifier_errand_result"),
            path("<int:pk>/file/", own(self.file_view), name="classifier_errand_file"),
            *super().get_urls(),
        ]

    def progress_view(self, request: HttpRequest, pk: int) -> JsonResponse:
        """Answer how far an errand is, as ``errands.js`` shows it."""
        errand = self._visible(request, pk)
        return JsonResponse(progress(errand, leases.now(), has_file=may_fetch(request, errand)))

    def result_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Lead to what came of an errand; to its own page where that is all."""
        errand = self._visible(request, pk)
        kind = KINDS.get(errand.kind)
        if kind and kind.page and errand.is_over and not errand.has_failed:
            return redirect(kind.page(errand))
        return redirect("admin:classifier_errand_change", errand.pk)

    def file_view(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        """Hand out the file to who asked for it, and to those who may see everything."""
        errand = self._visible(request, pk)
        if not may_fetch(request, errand):
            raise PermissionDenied
        file = getattr(errand, "file", None)
        if file is None or not errand.is_over or errand.has_failed:
            raise Http404(f"The file is gone: files are kept for {FILES_KEPT.days} days.")
        return StreamingHttpResponse(
            file.content(),
            content_type=file.media_type,
            headers={
                "Content-Disposition": content_disposition_header(True, file.name),  # noqa: FBT003
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "private, no-store",
            },
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        errand = self.get_object(request, object_id)
        if errand is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        if not may_look(request, errand):
            raise PermissionDenied
        kind = KINDS.get(errand.kind)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title_of(errand),
            "original": title_of(errand),
            "errand": errand,
            "time": time_in_words(errand, leases.now()),
            "file": getattr(errand, "file", None) if may_fetch(request, errand) else None,
            "has_page": bool(kind and kind.page and errand.is_over and not errand.has_failed),
            "files_kept_days": FILES_KEPT.days,
            **(extra_context or {}),
        }
        return TemplateResponse(request, "classifier/errand.html", context)

    def _visible(self, request: HttpRequest, pk: int) -> Errand:
        errand = get_object_or_404(Errand.objects.select_related("asked_by"), pk=pk)
        if not may_look(request, errand):
            raise PermissionDenied
        return errand

    @admin.display(description="What")
    def what(self, errand: Errand) -> str:
        return title_of(errand)

    @admin.display(description="Asked by", ordering="asked_by__username")
    def who(self, errand: Errand) -> str:
        return errand.asked_by.get_username() if errand.asked_by else "the timetable"

    @admin.display(description="Asked", ordering="asked_at")
    def asked(self, errand: Errand) -> SafeString | None:
        return ago(errand.asked_at)

    @admin.display(description="State", ordering="share")
    def state(self, errand: Errand) -> SafeString:
        if errand.has_failed:
            return badge("failed", "bad", errand.error)
        if errand.is_over:
            return badge("done", "good", errand.told)
        if errand.started_at is None:
            return badge("waits for a worker")
        return format_html(
            '<span class="cr-meter cr-in-list" title="{}"><span style="width: {}%"></span></span>'
            ' <span class="cr-hint">{} %</span>',
            errand.said,
            errand.percent,
            errand.percent,
        )

    @admin.display(description="Took")
    def took(self, errand: Errand) -> str | None:
        return in_words(errand.seconds_so_far(errand.done_at)) if errand.done_at else None


def may_look(request: HttpRequest, errand: Errand) -> bool:
    """Say whether a person may follow an errand: who asked for it, and who may see errands."""
    is_own = errand.asked_by_id is not None and errand.asked_by_id == request.user.pk
    return is_own or request.user.has_perm("classifier.view_errand")


def may_fetch(request: HttpRequest, errand: Errand) -> bool:
    """Say whether a person may have an errand's file, which may hold customers' words."""
    is_own = errand.asked_by_id is not None and errand.asked_by_id == request.user.pk
    return is_own or request.user.has_perm(SEES_ALL)


def progress(errand: Errand, now: datetime, *, has_file: bool) -> dict[str, Any]:
    """Return how far an errand is, in the words that a page shows.

    ``has_file``: whether its file, if there is one, may be offered.
    """
    is_whole = errand.is_over and not errand.has_failed
    file = getattr(errand, "file", None) if is_whole and has_file else None
    said = errand.error or errand.told or errand.said or _default_words(errand)
    return {
        "state": state_of(errand),
        "percent": errand.percent,
        "said": f"{said[:1].upper()}{said[1:]}",
        "time": time_in_words(errand, now),
        "result": reverse("admin:classifier_errand_result", args=[errand.pk]),
        "file": reverse("admin:classifier_errand_file", args=[errand.pk]) if file else "",
        "file_name": file.name if file else "",
    }


def state_of(errand: Errand) -> str:
    """Return ``waiting``, ``running``, ``done`` or ``failed``."""
    if errand.is_over:
        return "failed" if errand.has_failed else "done"
    return "running" if errand.started_at else "waiting"


def _default_words(errand: Errand) -> str:
    words = {"done": "Done.", "running": "Begun", "waiting": "Waits for a worker"}
    return words.get(state_of(errand), "")


def time_in_words(errand: Errand, now: datetime) -> str:
    """Return how long it took, or takes and will take; empty while it waits."""
    if errand.started_at is None:
        return ""
    so_far = in_words(errand.seconds_so_far(now))
    if errand.is_over:
        return f"It took {so_far}."
    left = errand.seconds_left(now)
    return f"{so_far} so far" + (f", about {in_words(left)} left" if left is not None else "")


def in_words(seconds: float) -> str:
    """Return a length of time as people say it: ``40 seconds``, ``3 minutes``, ``1.5 hours``."""
    if seconds < 1:
        return "less than a second"
    if seconds < 2 * MINUTE:
        whole = round(seconds)
        return f"{whole} second{'s' if whole > 1 else ''}"
    if seconds < 2 * HOUR:
        return f"{round(seconds / MINUTE)} minutes"
    return f"{seconds / HOUR:.1f} hours"
