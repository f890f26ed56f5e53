"""Is it well? ``/healthz`` for load balancers: database and broker, and nothing that is a secret."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from contactreason import broker


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 while the database answers, else 503.

    A broken broker is named but is no reason to take the web app out of service: the tables
    are the queue, and work goes on when the broker is back.
    """
    checks = {"database": database_answers(), "broker": broker.answers()}
    words = {name: "ok" if well else "not answering" for name, well in checks.items()}
    return JsonResponse(words, status=200 if checks["database"] else 503)


def database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True
