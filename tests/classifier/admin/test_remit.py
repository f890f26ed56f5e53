"""People see the conversations of their own groups' queues and teams, on every page and by API."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from rest_framework.test import APIClient

from tests import factories as make

pytestmark = pytest.mark.django_db
VIEWS = (
    "classifier.view_decision",
    "classifier.view_feedback",
    "classifier.view_transcript",
    "classifier.view_goldlabel",
    "sfsync.view_writeback",
    "sfsync.view_caselink",
)


@pytest.fixture
def cases():
    """One conversation of the queue Money, one of Parcels, each with all that hangs on it."""
    made = {}
    for queue in ("Money", "Parcels"):
        words = make.make_transcript(f"About {queue}.", queue=queue)
        decision = make.make_decision(transcript=words, queue=queue)
        link = make.make_case_link(case_id=words.thread, queue=queue)
        make.make_feedback(thread=words.thread, transcript=words, decision=decision)
        make.make_write_back(decision=decision, case_link=link)
        made[queue] = words
    return made


@pytest.fixture
def lead():
    user = make.make_user(*VIEWS)
    group = make.make_group()
    user.groups.add(group)
    make.make_remit(group=group, queues=["Money"])
    return user


LISTS = [
    "classifier_decision",
    "classifier_transcript",
    "classifier_feedback",
    "sfsync_writeback",
    "sfsync_caselink",
]


@pytest.mark.parametrize("page", LISTS)
def test_a_list_shows_the_conversations_of_the_persons_queue_alone(page, cases, lead, client):
    client.force_login(lead)

    answer = client.get(reverse(f"admin:{page}_changelist"))

    assert answer.context["cl"].result_count == 1


@pytest.mark.parametrize("page", LISTS)
def test_without_a_remit_everything_is_shown(page, cases, client):
    client.force_login(make.make_user(*VIEWS))

    assert client.get(reverse(f"admin:{page}_changelist")).context["cl"].result_count == 2


def test_a_conversation_of_another_queue_cannot_be_opened_by_its_address(cases, lead, client):
    client.force_login(lead)

    own = client.get(reverse("admin:classifier_transcript_change", args=[cases["Money"].pk]))
    other = client.get(
        reverse("admin:classifier_transcript_change", args=[cases["Parcels"].pk])
    )

    assert own.status_code == 200
    assert other.status_code == 302  # back to the start, as for a row that is not there


@pytest.mark.parametrize("name", ["decisions", "feedback"])
def test_the_api_keeps_to_the_remit_too(name, cases, lead):
    client = APIClient()
    client.force_authenticate(lead)

    told = client.get(f"/api/v1/{name}").json()["results"]

    assert [row["thread"] for row in told] == [cases["Money"].thread]


def test_the_api_hears_no_word_about_a_conversation_of_another_queue(cases, lead):
    make.make_category("Refund")
    lead.user_permissions.add(Permission.objects.get(codename="add_feedback"))
    client = APIClient()
    client.force_authenticate(lead)

    def say(queue):
        word = {"verdict": "corrected", "category": "refund", "thread": cases[queue].thread}
        return client.post("/api/v1/feedback", word, format="json")

    assert (say("Money").status_code, say("Parcels").status_code) == (201, 400)
    assert "no conversation of this name" in str(say("Parcels").json())


def test_a_remit_that_names_nothing_shows_nothing_and_sees_all_overrules_it(cases, client):
    user = make.make_user(*VIEWS)
    group = make.make_group()
    user.groups.add(group)
    make.make_remit(group=group)
    client.force_login(user)
    address = reverse("admin:classifier_decision_changelist")
    nothing = client.get(address).context["cl"].result_count

    overruling = make.make_user(*VIEWS, "classifier.see_all_conversations")
    overruling.groups.add(group)
    client.force_login(overruling)

    assert (nothing, client.get(address).context["cl"].result_count) == (0, 2)


def test_an_administrator_writes_a_groups_remit_line_by_line(client):
    group = make.make_group()
    client.force_login(make.make_administrator())
    page = reverse("admin:auth_group_change", args=[group.pk])
    form = {
        "name": group.name,
        "remit-TOTAL_FORMS": "1",
        "remit-INITIAL_FORMS": "0",
        "remit-0-group": group.pk,
        "remit-0-queues": "Money\n Parcels \n",
        "remit-0-teams": "",
    }

    assert client.post(page, form).status_code == 302

    group.refresh_from_db()
    assert group.remit.queues == ["Money", "Parcels"]
