"""A ceded Case is given back on its page or from the list, after a page that says what happens."""

import pytest
from django.urls import reverse

from classifier.models import Decision
from sfsync import gateway
from sfsync.local_org.http_door import HttpDoor
from sfsync.local_org.org import LocalOrg
from sfsync.local_org.records import Record, Said
from tests import factories as make

pytestmark = pytest.mark.django_db
HAND_BACK = "/admin/sfsync/caselink/hand-back/"


@pytest.fixture
def org(settings):
    org = LocalOrg()
    org.deploy_contact_reason(("billing", "delivery"))
    with HttpDoor(org) as door:
        settings.SALESFORCE_LOCAL_ORIGIN = door.origin
        settings.SALESFORCE_DOMAIN = org.my_domain
        settings.SALESFORCE_CLIENT_ID = org.app.client_id
        settings.SALESFORCE_CLIENT_SECRET = org.app.client_secret
        gateway.close()
        yield org
        gateway.close()


@pytest.fixture
def ceded(org):
    (case_id,) = org.load([Record("one", (Said("customer", "My parcel!"),), "web", "Parcel")])
    transcript = make.make_transcript(thread=case_id, decided_at=make.NOON)
    make.make_decision(transcript=transcript)
    return make.make_case_link(case_id=case_id, ceded_at=make.NOON)


@pytest.fixture
def lead(client):
    user = make.make_user(
        "sfsync.view_caselink", "sfsync.change_caselink", username="lea", is_staff=True
    )
    client.force_login(user)
    return client


def page_of(client, case):
    return client.get(reverse("admin:sfsync_caselink_change", args=[case.pk])).content.decode()


def test_the_page_of_a_ceded_case_leads_to_the_question(lead, ceded):
    assert f"{HAND_BACK}?case={ceded.pk}" in page_of(lead, ceded)

    asked = lead.get(HAND_BACK, {"case": ceded.pk}).content.decode()

    assert "the words are decided again" in asked
    ceded.refresh_from_db()
    assert ceded.ceded_at is not None


def test_the_answer_gives_it_back_and_the_page_tells_who_did(lead, ceded):
    answer = lead.post(HAND_BACK, {"case": [ceded.pk]}, follow=True).content.decode()

    assert "One Case is given back" in answer
    assert "given back by lea" in page_of(lead, ceded)
    assert not Decision.objects.standing().exists()


def test_many_are_given_back_from_the_list_after_the_same_question(lead, ceded):
    other = make.make_case_link()

    asked = lead.post(
        reverse("admin:sfsync_caselink_changelist"),
        {"action": "hand_back", "_selected_action": [ceded.pk, other.pk]},
    ).content.decode()

    assert f'name="case" value="{ceded.pk}"' in asked
    assert f'name="case" value="{other.pk}"' not in asked


@pytest.mark.parametrize("method", ["get", "post"])
def test_who_may_only_look_is_refused(client, ceded, method):
    client.force_login(make.make_user("sfsync.view_caselink"))

    answer = getattr(client, method)(HAND_BACK, {"case": ceded.pk})

    assert answer.status_code == 403
    assert "Give back" not in page_of(client, ceded)


def test_a_case_of_another_group_is_out_of_reach(client, ceded):
    user = make.make_user("sfsync.view_caselink", "sfsync.change_caselink")
    remit = make.make_remit(queues=["Tier 1"])
    user.groups.add(remit.group)
    client.force_login(user)

    client.post(HAND_BACK, {"case": [ceded.pk]})

    ceded.refresh_from_db()
    assert ceded.ceded_at is not None


def test_while_salesforce_does_not_answer_a_sentence_says_that_nothing_happened(
    lead, ceded, org
):
    org.faults.outages = 9

    answer = lead.post(HAND_BACK, {"case": [ceded.pk]}, follow=True).content.decode()

    assert "Nothing was given back." in answer
