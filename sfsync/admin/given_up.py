"""What was given up, by its reason: tried out, sent again or closed, one, a group or all alike."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.request import QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from classifier.models.remit import within_remit
from sfsync import gateway, replaying
from sfsync.errors import SalesforceError
from sfsync.models import CaseLink, WriteBack

LOGGED = 1000
"""Rows that get a line of their own in the admin's history; each row names its last one anyway."""


class GivenUpPages:
    """Adds the pages of what was given up to the list of write-backs."""

    admin_site: Any
    opts: Any

    def get_urls(self) -> list[URLPattern]:
        own = self.admin_site.admin_view
        return [
            path("given-up/", own(self.given_up_view), name="sfsync_writeback_given_up"),
            path("given-up/again/", own(self.again_view), name="sfsync_writeback_again"),
            path("given-up/read/", own(self.read_view), name="sfsync_writeback_read_again"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {**(extra_context or {}), "given_up": self._dead(request).count()}
        page: HttpResponse = super().changelist_view(request, context)  # type: ignore[misc]
        return page

    def given_up_view(self, request: HttpRequest) -> HttpResponse:
        """Show what was given up by its reason, and Cases that cannot be read."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        links = within_remit(CaseLink.objects.all(), request.user)
        context = {
            **self._context(request, "Given up"),
            "groups": replaying.groups(self._dead(request)),
            "unreadable": replaying.unreadable(links),
            "may_replay": self.has_deliver_permission(request),  # type: ignore[attr-defined]
        }
        return TemplateResponse(request, "sfsync/given_up.html", context)

    def again_view(self, request: HttpRequest) -> HttpResponse:
        """Try out sending again (GET), do it or close them (POST)."""
        if not self.has_deliver_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        if request.method == "GET":
            return self._tried_out(request, request.GET)
        if request.method != "POST":
            return HttpResponseNotAllowed(["GET", "POST"])
        rows, by = self._chosen(request, request.POST), request.user.get_username()
        ids = list(rows.values_list("pk", flat=True)[:LOGGED])
        if request.POST.get("deed") == "close":
            note = request.POST.get("note", "").strip()
            if not note:
                messages.error(
                    request, "Say in the note why nobody need look at them: not closed."
                )
                return HttpResponseRedirect(f"{request.path}?{_query(request.POST)}")
            done, told = replaying.close(rows, by=by, note=note), "closed: they stay unwritten."
            words = f"Closed: {note}"
        else:
            done, told = replaying.replay(rows, by=by), "on their way to Salesforce again."
            words = "Sent again."
        for row in WriteBack.objects.filter(pk__in=ids):
            self.log_change(request, row, words)  # type: ignore[attr-defined]
        are = "One write-back is" if done == 1 else f"{done} write-backs are"
        level = messages.SUCCESS if done else messages.WARNING
        messages.add_message(request, level, f"{are} {told}")
        return HttpResponseRedirect(reverse("admin:sfsync_writeback_given_up"))

    def read_view(self, request: HttpRequest) -> HttpResponse:
        """Let Cases that could not be read, for one reason, be read at once."""
        if not self.has_deliver_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        because = request.POST.get("because", "")
        links = within_remit(CaseLink.objects.filter(read_error=because), request.user)
        done = replaying.read_again(links)
        messages.success(request, f"{done} Cases will be read again now.")
        return HttpResponseRedirect(reverse("admin:sfsync_writeback_given_up"))

    @admin.action(description="Try out sending again", permissions=["deliver"])
    def try_out(self, request: HttpRequest, rows: "QuerySet[WriteBack]") -> HttpResponse:
        chosen = QueryDict(mutable=True)
        chosen.setlist("pk", [str(row.pk) for row in rows])
        return HttpResponseRedirect(
            f"{reverse('admin:sfsync_writeback_again')}?{chosen.urlencode()}"
        )

    def _tried_out(self, request: HttpRequest, asked: QueryDict) -> HttpResponse:
        rows = self._chosen(request, asked)
        context = {
            **self._context(request, "Send again?"),
            "chosen": [(key, value) for key in CHOICES for value in asked.getlist(key)],
            "number": rows.count(),
            "code": asked.get("code", ""),
        }
        try:
            context["rehearsal"] = replaying.rehearse(gateway.open(), rows)
        except SalesforceError as error:
            context["trouble"] = str(error)
        return TemplateResponse(request, "sfsync/given_up_again.html", context)

    def _dead(self, request: HttpRequest) -> "QuerySet[WriteBack]":
        return within_remit(WriteBack.objects.dead_letters(), request.user, "case_link__")

    def _chosen(self, request: HttpRequest, asked: QueryDict) -> "QuerySet[WriteBack]":
        rows = self._dead(request)
        if "all" in asked:
            return rows
        if "code" in asked:
            return rows.filter(error_code=asked["code"])
        keys = [key for key in asked.getlist("pk") if key.isdecimal()]
        return rows.filter(pk__in=keys)

    def _context(self, request: HttpRequest, title: str) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "title": title, "opts": self.opts}


CHOICES = ("all", "code", "pk")


def _query(asked: QueryDict) -> str:
    chosen = QueryDict(mutable=True)
    for key in CHOICES:
        chosen.setlist(key, asked.getlist(key))
    return chosen.urlencode()
