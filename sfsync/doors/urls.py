"""Addresses below doors/."""

from django.urls import path

from sfsync.doors.outbound_message import outbound_message

urlpatterns = [
    path("salesforce/outbound/<str:secret>/", outbound_message, name="outbound-message"),
]
