from datetime import timedelta

import pytest
import time_machine
from django.core import signing
from django.urls import reverse
from django.utils import timezone

from contactreason import sign_in
from contactreason.sign_in import VALID_SECONDS, sign_in_path
from tests import factories as make

pytestmark = pytest.mark.django_db


def test_a_link_signs_in_and_shows_the_dashboard(client):
    ada = make.make_administrator()

    answer = client.get(sign_in_path(ada))

    assert answer.url == reverse("admin:index")
    assert client.session["_auth_user_id"] == str(ada.pk)


def test_a_link_works_once(client, django_user_model):
    link = sign_in_path(make.make_administrator())
    client.get(link)
    client.logout()

    answer = client.get(link)

    assert answer.status_code == 403
    assert "no longer works" in answer.content.decode()
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(("seconds", "answered"), [(-5, 302), (1, 403)])
def test_a_link_is_void_after_an_hour(client, seconds, answered):
    link = sign_in_path(make.make_administrator())

    with time_machine.travel(timezone.now() + timedelta(seconds=VALID_SECONDS + seconds)):
        assert client.get(link).status_code == answered


def test_any_other_sign_in_makes_the_link_void(client):
    ada = make.make_administrator(username="ada", password="a-long-password")
    link = sign_in_path(ada)
    client.force_login(ada)
    client.logout()

    assert client.get(link).status_code == 403


def test_a_new_password_makes_the_link_void(client):
    ada = make.make_administrator()
    link = sign_in_path(ada)
    ada.set_password("another-long-password")
    ada.save()

    assert client.get(link).status_code == 403


@pytest.mark.parametrize("fields", [{"is_active": False}, {"is_staff": False}])
def test_a_link_opens_nothing_for_those_who_may_not_enter(client, fields):
    assert client.get(sign_in_path(make.make_user(**fields))).status_code == 403


def test_a_forged_link_is_refused(client):
    forged = signing.dumps({"user": make.make_administrator().pk, "state": ""}, salt="other")

    assert client.get(reverse("sign_in", args=[forged])).status_code == 403


def test_the_link_tells_nothing_of_the_password():
    ada = make.make_administrator(password="a-long-password")

    claim = signing.loads(sign_in_path(ada).split("/")[-2], salt=sign_in._SALT)

    assert ada.password not in str(claim)
