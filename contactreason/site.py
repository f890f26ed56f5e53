"""The admin site: what the first page shows, the pause switch, and the sign-in link's address."""

from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import include, path
from django.views.decorators.http import require_POST

from classifier import leases
from classifier.admin import ReviewAdmin
from classifier.admin.export import export_view
from classifier.models import Review
from classifier.models.blindness import MAY_REVIEW
from contactreason.dashboard import dashboard
from contactreason.sign_in import sign_in
from sfsync import mode_setting

MAY_PAUSE = "sfsync.change_connection"
MAY_LOOK = "classifier.view_decision"


def dashboard_context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return the first page's context with the dashboard in it, for those who may look."""
    if not request.user.has_perm(MAY_LOOK):
        return context
    return {
        **context,
        "title": "Dashboard",
        "dashboard": dashboard(
            leases.now(), request.user, may_review=request.user.has_perm(MAY_REVIEW)
        ),
        "may_pause": request.user.has_perm(MAY_PAUSE),
    }


@require_POST
def pause(request: HttpRequest) -> HttpResponse:
    """Pause all writing to Salesforce, or go on, and say so on the dashboard."""
    if not request.user.has_perm(MAY_PAUSE):
        raise PermissionDenied
    who = request.user.get_username()
    if request.POST.get("action") == "resume":
        mode_setting.resume(by=who)
        messages.success(request, "Writing to Salesforce goes on.")
    else:
        mode_setting.pause(by=who)
        messages.warning(
            request,
            "All writing to Salesforce is paused. Cases are still pulled and decided; nothing is "
            "lost, and writing goes on when you resume.",
        )
    return redirect("admin:index")


desk = cast("ReviewAdmin", admin.site.get_model_admin(Review))

urlpatterns = [
    path("sign-in/<str:token>/", sign_in, name="sign_in"),
    path("pause/", admin.site.admin_view(pause), name="pause"),
    path("export/<slug:code>/", admin.site.admin_view(export_view), name="export"),
    path("review/", include(desk.desk_urls())),
]
