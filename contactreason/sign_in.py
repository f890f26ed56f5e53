"""A link that signs one person in, once, within the hour: so that no default password exists."""

from django.contrib.auth import login
from django.contrib.auth.models import User
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

VALID_SECONDS = 60 * 60
_SALT = "contactreason.sign-in"
_BACKEND = "django.contrib.auth.backends.ModelBackend"


def sign_in_path(user: User) -> str:
    """Return the path that signs ``user`` in, once, within ``VALID_SECONDS`` from now.

    It is void as soon as the person signs in, by this link or any other way, and when the
    password changes.
    """
    token = signing.dumps({"user": user.pk, "state": _state(user)}, salt=_SALT)
    return reverse("sign_in", args=[token])


@never_cache
@require_GET
def sign_in(request: HttpRequest, token: str) -> HttpResponse:
    """Sign the bearer of a fresh link in and show the dashboard; refuse any other link."""
    user = _redeemed(token)
    if user is None:
        return TemplateResponse(request, "contactreason/sign_in_refused.html", status=403)
    login(request, user, backend=_BACKEND)
    return redirect("admin:index")


def _redeemed(token: str) -> User | None:
    """Return the user of a valid token and make it void, None where it is not valid."""
    try:
        claim = signing.loads(token, salt=_SALT, max_age=VALID_SECONDS)
    except signing.BadSignature:
        return None
    user = User.objects.filter(pk=claim["user"], is_active=True, is_staff=True).first()
    if user is None or _state(user) != claim["state"]:
        return None
    # Conditional, so that of two clicks at the same moment one alone gets in.
    used = User.objects.filter(pk=user.pk, last_login=user.last_login)
    return user if used.update(last_login=timezone.now()) else None


def _state(user: User) -> str:
    """Return what changes when the user signs in or changes the password; tells neither."""
    last = user.last_login.isoformat() if user.last_login else ""
    return signing.Signer(salt=_SALT).signature(f"{last}:{user.password}")
