"""A rollback reaches workers in other processes and the API with their very next work."""

import pytest
from django.urls import reverse
from rest_framework.authtoken.models import Token

from classifier import leases
from classifier.models import ModelVersion
from tests import factories as make
from tests.classifier.making import a_champion, a_model_without, a_transcript
from tests.journeys.follower import Follower

pytestmark = pytest.mark.django_db(transaction=True)

PARCEL = "the courier lost my parcel, tracking says nothing"
LOGIN = "I am locked out, the username and password are refused"


@pytest.fixture
def workers():
    started = [Follower(), Follower()]
    yield started
    for worker in started:
        worker.stop()


def classify(client):
    asked = {"text": LOGIN}
    return client.post("/api/v1/classify", asked, content_type="application/json").json()


def test_every_worker_and_the_api_follow_a_rollback_with_their_next_work(workers, client):
    good = a_champion(1)
    ModelVersion.objects.update(stage="retired", promoted_at=make.NOON)
    bad = a_champion(2, a_model_without("login"))
    lead = make.make_user("classifier.change_modelversion", "classifier.view_modelversion")
    robot = make.make_user("classifier.view_decision", is_superuser=True)
    client.defaults["HTTP_AUTHORIZATION"] = f"Token {Token.objects.create(user=robot).key}"
    client.force_login(lead)
    for number, worker in enumerate(workers):
        a_transcript(f"before{number}", PARCEL, received_at=leases.now())
        assert worker.decide()["model"] == bad.number
    assert classify(client)["model"] == bad.number

    client.post(reverse("admin:classifier_modelversion_rollback", args=[bad.pk]))

    for number, worker in enumerate(workers):
        a_transcript(f"after{number}", PARCEL, received_at=leases.now())
        told = worker.decide()
        assert (told["taken"], told["model"]) == (1, good.number)
    assert classify(client)["model"] == good.number
