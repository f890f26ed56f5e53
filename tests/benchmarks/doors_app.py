"""The web app with doors that nobody is turned away from for coming too often."""

from contactreason.wsgi import application
from sfsync.doors import limits

limits.REQUESTS_PER_MINUTE = 10**9

__all__ = ["application"]
