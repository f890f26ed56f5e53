"""Every error of the API leaves as problem JSON (RFC 9457), also where no view was reached."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from rest_framework.exceptions import APIException, ErrorDetail, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

CONTENT_TYPE = "application/problem+json"
API_PREFIX = "/api/"


def problem(status: int, code: str, detail: str, **more: Any) -> dict[str, Any]:
    """Return a problem: ``code`` is stable, for programs; ``detail`` is a sentence, for people."""
    return {
        "type": f"urn:contact-reason:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **more,
    }


def problem_response(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Return an exception of a view as a problem; None leaves it to ``server_error``.

    The REST framework's ``EXCEPTION_HANDLER``.
    """
    response = exception_handler(error, dict(context))
    if response is None:
        return None
    response.data = _told(error, response)
    response.content_type = CONTENT_TYPE
    return response


def _told(error: Exception, response: Response) -> dict[str, Any]:
    if isinstance(error, ValidationError):
        errors = list(_field_errors(error.detail))
        count = "1 value is" if len(errors) == 1 else f"{len(errors)} values are"
        return problem(
            response.status_code, "invalid", f"{count} not right; see errors.", errors=errors
        )
    detail = response.data["detail"]
    code = (isinstance(detail, ErrorDetail) and detail.code) or APIException.default_code
    return problem(response.status_code, code, str(detail))


def _field_errors(detail: Any, path: tuple[str, ...] = ()) -> Iterator[dict[str, str]]:
    """Yield ``{"field": "turns.3.text", "code": …, "message": …}`` of a nested detail."""
    if isinstance(detail, Mapping):
        for name, nested in detail.items():
            step = () if name == "non_field_errors" else (str(name),)
            yield from _field_errors(nested, path + step)
    elif isinstance(detail, list):
        for index, nested in enumerate(detail):
            is_error = isinstance(nested, ErrorDetail)
            yield from _field_errors(nested, path if is_error else (*path, str(index)))
    else:
        yield {"field": ".".join(path), "code": detail.code, "message": str(detail)}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django itself refused (``handler400``)."""
    if not _is_api(request):
        return defaults.bad_request(request, exception)
    return _json(400, "bad_request", "This request could not be read.")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that may not be made (``handler403``)."""
    if not _is_api(request):
        return defaults.permission_denied(request, exception)
    return _json(403, "permission_denied", "This request is not allowed.")


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address that nothing is at (``handler404``)."""
    if not _is_api(request):
        return defaults.page_not_found(request, exception)
    return _json(404, "not_found", "There is nothing at this address; see /api/v1/docs.")


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer where our own code failed (``handler500``)."""
    if not _is_api(request):
        return defaults.server_error(request)
    return _json(500, "server_error", "We made a mistake; it is in our log. Try again later.")


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith(API_PREFIX)


def _json(status: int, code: str, detail: str) -> HttpResponse:
    return JsonResponse(problem(status, code, detail), status=status, content_type=CONTENT_TYPE)
