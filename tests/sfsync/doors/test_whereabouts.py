"""Where a Case is, asked by a program."""

import pytest
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from tests import factories as make

pytestmark = pytest.mark.django_db


def client_of(*permissions):
    user = make.make_user(*permissions)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {Token.objects.create(user=user).key}")
    return client


def address(link):
    return f"/api/v1/cases/{link.case_id}"


@pytest.fixture
def row():
    return make.make_write_back(outcome="delivered")


def test_a_program_reads_the_same_line_and_the_stations(row):
    client = client_of("sfsync.view_caselink", "classifier.see_all_conversations")

    told = client.get(address(row.case_link)).json()

    assert told["stage"] == "written"
    assert told["told"].startswith("It was written")
    assert [one["name"] for one in told["way"] if one["waits_here"]] == ["confirmed"]
    assert row.decision.category.label not in str(told)


def test_without_the_right_or_the_remit_nothing_is_told(row):
    assert client_of().get(address(row.case_link)).status_code == 403
    assert APIClient().get(address(row.case_link)).status_code == 401


def test_a_case_that_we_do_not_know_is_not_found():
    client = client_of("sfsync.view_caselink", "classifier.see_all_conversations")

    assert client.get("/api/v1/cases/500000000000000AAA").status_code == 404
