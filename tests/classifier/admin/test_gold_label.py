import pytest
from django.urls import reverse

from classifier.models import GoldLabel, ModelVersion
from tests import factories as make
from tests.classifier.making import NOON, gold_labels

pytestmark = pytest.mark.django_db


@pytest.fixture
def doubted(client) -> GoldLabel:
    """A gold label that the newest training doubts, and one that contradicts another."""
    client.force_login(make.make_user(is_superuser=True, is_staff=True))
    gold_labels()
    suspect, other = GoldLabel.objects.select_related("transcript").order_by("id")[:2]
    for number, suspects in ((1, []), (2, [[suspect.transcript.digest, "login"]])):
        ModelVersion.objects.create(
            number=number,
            sha256=f"{number}" * 64,
            size_bytes=1,
            created_at=NOON,
            recipe={},
            metrics={},
            trained_on={"suspects": suspects, "contradictions": [[other.transcript.digest]]},
        )
    return suspect


@pytest.mark.parametrize(("doubt", "place"), [("suspect", 0), ("contradiction", 1)])
def test_the_list_shows_the_labels_that_the_newest_training_doubts(
    client, doubted, doubt, place
):
    page = client.get(reverse("admin:classifier_goldlabel_changelist"), {"doubt": doubt})

    shown = list(page.context["cl"].queryset)
    assert shown == [GoldLabel.objects.order_by("id")[place]]


def test_without_a_training_nothing_is_doubted(client, doubted):
    ModelVersion.objects.all().delete()

    page = client.get(reverse("admin:classifier_goldlabel_changelist"), {"doubt": "suspect"})

    assert list(page.context["cl"].queryset) == []
