import io
import logging

from django.conf import settings
from django.utils.module_loading import import_string


def test_the_secret_of_a_door_is_in_no_line_of_the_log():
    (name,) = settings.LOGGING["handlers"]["console"]["filters"]
    written = io.StringIO()
    console = logging.StreamHandler(written)
    console.addFilter(import_string(settings.LOGGING["filters"][name]["()"])())
    logger = logging.getLogger("tests.log_filter")
    logger.addHandler(console)

    logger.warning("%s: %s", "Forbidden", "/doors/salesforce/outbound/canary-canary/")
    logger.warning("GET /doors/salesforce/outbound/canary?x=1 said %d", 404)
    logger.warning("nothing of it: %s", "/admin/")

    told = written.getvalue()
    assert "canary" not in told
    assert "Forbidden: /doors/salesforce/outbound/…/" in told
    assert "nothing of it: /admin/" in told
