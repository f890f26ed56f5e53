"""Addresses below doors/."""

from django.urls import path

from sfsync.doors.outbound_message import outbound_message
from sfsync.doors.webhook import WebhookView

urlpatterns = [
    path("salesforce/outbound/<str:secret>/", outbound_message, name="outbound-message"),
    path("webhook", WebhookView.as_view(), name="webhook"),
]
