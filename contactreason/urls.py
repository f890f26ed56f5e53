"""Addresses: admin/, api/v1/, doors/, healthz."""

from django.contrib import admin
from django.urls import include, path

from contactreason.health import healthz
from sfsync.doors.flow import CaseClassifyView
from sfsync.doors.whereabouts import WhereaboutsView

admin.autodiscover()  # before contactreason.site asks for what is registered

urlpatterns = [
    path("admin/", include("contactreason.site")),
    path("admin/", admin.site.urls),
    # Before the classifier's own: the same answer, and what a Flow is to write into its Case.
    path("api/v1/classify", CaseClassifyView.as_view(), name="classify"),
    path("api/v1/cases/<str:case_id>", WhereaboutsView.as_view(), name="whereabouts"),
    path("api/v1/", include("classifier.api.urls")),
    path("doors/", include("sfsync.doors.urls")),
    path("healthz", healthz),
]

handler400 = "contactreason.problems.bad_request"
handler403 = "contactreason.problems.permission_denied"
handler404 = "contactreason.problems.page_not_found"
handler500 = "contactreason.problems.server_error"
