import pytest
from django.contrib.auth.models import Group
from lxml import html

from sfsync.models import Doorbell
from tests import factories as make

pytestmark = pytest.mark.django_db
LIST = "/admin/sfsync/doorbell/"


@pytest.fixture
def told(client):
    client.force_login(make.make_administrator())

    def page(address=LIST):
        return html.fromstring(client.get(address).content).text_content()

    return page


@pytest.mark.parametrize(
    ("heard", "words"),
    [
        ("", "waits"),
        ("hint", "brought the change"),
        ("earlier", "we knew already"),
        ("later", "found later, by asking"),
        ("missed", "nothing had changed"),
    ],
)
def test_a_ring_tells_its_case_and_what_came_of_it_in_plain_words(told, heard, words):
    link = make.make_case_link(case_number="00001234")
    make.make_ring(case_id=link.case_id, heard=heard)

    page = told()

    assert "00001234" in page
    assert words in page


def test_a_ring_can_be_looked_at_and_nothing_else(told, client):
    ring = make.make_ring()

    page = told(f"{LIST}{ring.pk}/change/")

    assert ring.notification_id in page
    assert "The Case is read within seconds" in page
    assert client.post(f"{LIST}{ring.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.get(f"{LIST}add/").status_code == 403
    assert Doorbell.objects.filter(pk=ring.pk).exists()


def test_an_empty_list_says_how_a_door_is_opened(told):
    page = told()

    assert "OUTBOUND_SECRETS" in page
    assert "WEBHOOK_SECRETS" in page
    assert "openssl rand -hex 32" in page


def test_who_sees_some_queues_sees_the_rings_of_their_cases_alone(client):
    own, other = make.make_case_link(queue="Cards"), make.make_case_link(queue="Loans")
    for link in (own, other):
        make.make_ring(case_id=link.case_id)
    user, remitted = make.make_user(), make.make_group()
    user.groups.add(Group.objects.get(name="Support lead"), remitted)
    make.make_remit(group=remitted, queues=["Cards"])
    client.force_login(user)

    page = html.fromstring(client.get(LIST).content).text_content()

    assert str(own) in page
    assert str(other) not in page
