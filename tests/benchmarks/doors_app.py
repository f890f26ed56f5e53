"""The web app where nobody is turned away for coming too often."""

from rest_framework.throttling import UserRateThrottle

from contactreason.wsgi import application
from sfsync.doors import limits

limits.REQUESTS_PER_MINUTE = 10**9
UserRateThrottle.THROTTLE_RATES = {"user": None}

__all__ = ["application"]
