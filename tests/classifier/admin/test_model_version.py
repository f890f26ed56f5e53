import pytest
from django.urls import reverse

from classifier.models import ModelVersion
from tests import factories as make
from tests.classifier.making import a_champion

pytestmark = pytest.mark.django_db
LIST = "admin:classifier_modelversion_changelist"


def promote(client, *versions):
    return client.post(
        reverse(LIST),
        {"action": "promote", "_selected_action": [version.pk for version in versions]},
        follow=True,
    ).content.decode()


@pytest.fixture
def lead(client):
    client.force_login(
        make.make_user("classifier.view_modelversion", "classifier.change_modelversion")
    )
    return client


def test_a_model_is_promoted_and_a_sentence_says_what_that_means(lead):
    candidate = a_champion(7)
    ModelVersion.objects.update(stage="candidate")
    make.make_model_version(number=6, stage="champion")

    told = promote(lead, candidate)

    candidate.refresh_from_db()
    assert candidate.stage == "champion"
    assert "Model 7 decides from now on. Model 6 is retired" in told


def test_a_model_that_could_not_serve_is_refused_in_words(lead):
    told = promote(lead, make.make_model_version(number=8))

    assert "are missing: train a new one" in told
    assert ModelVersion.objects.get().stage == "candidate"


def test_one_model_at_a_time_is_promoted(lead):
    told = promote(lead, make.make_model_version(), make.make_model_version())

    assert "Select one model" in told


def test_promoting_needs_the_right(client):
    client.force_login(make.make_user("classifier.view_modelversion"))

    a_champion(9)
    ModelVersion.objects.update(stage="candidate")

    promote(client, ModelVersion.objects.get())

    assert ModelVersion.objects.get().stage == "candidate"


def test_measures_are_told_as_people_read_them(lead):
    version = make.make_model_version(metrics={"micro_f1": 0.9312, "ece": 0.02, "curve": [1]})

    page = lead.get(reverse("admin:classifier_modelversion_change", args=[version.pk]))

    assert "<th>Micro-F1</th><td>93.1%</td>" in page.content.decode()
