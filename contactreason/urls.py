"""Addresses: admin/, api/v1/, doors/, healthz."""

from django.contrib import admin
from django.urls import include, path

from contactreason.health import healthz

admin.autodiscover()  # before contactreason.site asks for what is registered

urlpatterns = [
    path("admin/", include("contactreason.site")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("classifier.api.urls")),
    path("doors/", include("sfsync.doors.urls")),
    path("healthz", healthz),
]

handler400 = "contactreason.problems.bad_request"
handler403 = "contactreason.problems.permission_denied"
handler404 = "contactreason.problems.page_not_found"
handler500 = "contactreason.problems.server_error"
