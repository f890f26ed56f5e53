"""Is it well? ``/healthz`` for load balancers: database and broker, and nothing that is a secret."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError as BrokerError

from contactreason.celery import app

BROKER_SECONDS = 2


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 while the database answers, else 503.

    A broken broker is named but is no reason to take the web app out of service: the tables
    are the queue, and work goes on when the broker is back.
    """
    checks = {"database": database_answers(), "broker": broker_answers()}
    words = {name: "ok" if well else "not answering" for name, well in checks.items()}
    return JsonResponse(words, status=200 if checks["database"] else 503)


def database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def broker_answers() -> bool:
    try:
        with app.connection_for_write(connect_timeout=BROKER_SECONDS) as broker:
            broker.ensure_connection(max_retries=1, timeout=BROKER_SECONDS)  # pings the server
    except (BrokerError, OSError):
        return False
    return True
