"""The project: wiring only; no domain word is defined here."""

from contactreason.celery import app as celery_app

__all__ = ["celery_app"]
