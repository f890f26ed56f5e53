from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

Client = Callable[..., APIClient]


class JSONClient(APIClient):
    default_format = "json"


@pytest.fixture
def client_who_may(db) -> Client:
    """Return a client whose user has the permissions named: ``client_who_may("view_decision")``."""

    def make(*permissions: str, name: str = "robot") -> APIClient:
        user = User.objects.create_user(name)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client = JSONClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {Token.objects.create(user=user).key}")
        return client

    return make
