import pytest
from django.test import Client
from django.urls import reverse

from classifier.models import Category, Errand, ModelVersion, Transcript
from classifier.retraining import train_candidate
from classifier.tasks import run_errands
from tests import factories as make
from tests.classifier.making import NOON, a_champion, gold_labels

pytestmark = pytest.mark.django_db
LIST = "admin:classifier_modelversion_changelist"
WAYS = "admin:classifier_modelversion"


def promote(client, *versions):
    return client.post(
        reverse(LIST),
        {"action": "promote", "_selected_action": [version.pk for version in versions]},
        follow=True,
    ).content.decode()


@pytest.fixture
def lead(client):
    client.force_login(
        make.make_user(
            "classifier.view_modelversion", "classifier.change_modelversion", username="ada"
        )
    )
    return client


def a_pair() -> tuple[ModelVersion, ModelVersion]:
    """Return a candidate and the champion, both able to serve."""
    candidate = a_champion(7)
    ModelVersion.objects.update(stage="candidate")
    champion = a_champion(6)
    ModelVersion.objects.filter(pk=champion.pk).update(promoted_at=make.NOON)
    candidate.refresh_from_db()
    champion.refresh_from_db()
    return candidate, champion


def page_of(client, version) -> str:
    address = reverse("admin:classifier_modelversion_change", args=[version.pk])
    return client.get(address).content.decode()


def press(client, way: str, version: ModelVersion | None = None, **posted: object) -> str:
    """Press a button of the model pages and return the page that follows."""
    address = reverse(f"{WAYS}_{way}", args=[version.pk] if version else [])
    return client.post(address, posted, follow=True).content.decode()


def second_lead(name: str = "bo") -> Client:
    client = Client()
    client.force_login(
        make.make_user(
            "classifier.view_modelversion", "classifier.change_modelversion", username=name
        )
    )
    return client


def test_one_proposes_another_promotes_and_the_page_shows_who_did_what(lead):
    candidate, champion = a_pair()

    assert "Propose for promotion" in page_of(lead, candidate)
    told = press(lead, "propose", candidate)
    assert "Somebody else who may change models promotes it" in told
    assert "Promote it" not in told
    told = press(second_lead(), "promote", candidate)

    assert "Model 7 decides from now on. Model 6 is retired" in told
    shown = page_of(lead, candidate)
    assert 'Proposed for promotion</b><span class="cr-hint"> by ada,' in shown
    assert 'Became the champion</b><span class="cr-hint"> by bo,' in shown
    champion.refresh_from_db()
    assert champion.stage == "retired"


def test_who_proposed_it_is_refused_by_button_and_by_list_action(lead):
    candidate, _champion = a_pair()
    press(lead, "propose", candidate)

    assert "ada proposed it, so somebody else" in press(lead, "promote", candidate)
    assert "ada proposed it, so somebody else" in promote(lead, candidate)

    candidate.refresh_from_db()
    assert candidate.stage == "candidate"


def test_one_click_rolls_back_and_what_was_decided_may_be_decided_again(lead):
    candidate, champion = a_pair()
    press(lead, "propose", candidate)
    press(second_lead(), "promote", candidate)
    decision = make.make_decision(source="model", model_version=candidate)

    assert "Roll back to model 6?" in page_of(lead, candidate)
    told = press(lead, "rollback", candidate, back="list")

    assert "Model 6 decides again" in told
    assert "Decide these 1 again" in told
    champion.refresh_from_db()
    assert champion.stage == "champion"

    assert "Waits for a worker" in press(lead, "again", candidate)
    run_errands()

    decision.refresh_from_db()
    assert decision.superseded_at is not None
    assert Transcript.objects.waiting().count() == 1


def test_a_training_is_asked_for_once_and_its_progress_shown(lead):
    gold_labels()

    shown = press(lead, "train")
    press(lead, "train")

    errand = Errand.objects.get()
    assert (errand.kind, errand.asked_by.username) == ("train", "ada")
    assert reverse("admin:classifier_errand_progress", args=[errand.pk]) in shown


def test_too_little_to_learn_from_is_told_before_a_worker_is_asked(lead):
    assert "too little to learn from: none of the categories have" in press(lead, "train")
    assert not Errand.objects.exists()


def test_nothing_new_is_told_and_may_be_trained_all_the_same(lead):
    gold_labels()
    press(lead, "train")
    run_errands()

    told = press(lead, "train")
    assert "no new gold labels since model 1 was trained" in told
    assert "Train all the same" in told
    assert Errand.objects.count() == 1
    press(lead, "train", all_the_same="1")

    assert Errand.objects.waiting().count() == 1


@pytest.mark.parametrize("way", ["propose", "promote", "rollback", "again", "compare", "train"])
def test_every_button_is_refused_to_who_lacks_the_right(client, way):
    candidate, champion = a_pair()
    client.force_login(make.make_user("classifier.view_modelversion"))
    arguments = [] if way == "train" else [candidate.pk]

    refused = client.post(reverse(f"{WAYS}_{way}", args=arguments))

    assert refused.status_code == 403
    assert not Errand.objects.exists()
    assert "<form" not in _top_of(page_of(client, champion))


def _top_of(page: str) -> str:
    return page.partition('class="cr-timeline"')[0].rpartition("cr-top")[2]


def test_a_model_that_could_not_serve_is_refused_in_words(lead):
    told = promote(lead, make.make_model_version(number=8))

    assert "Model 8 cannot serve" in told
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


def test_the_page_tells_what_is_promised_and_which_categories_prove_it(lead):
    gold_labels()
    Category.objects.filter(code="refund").update(is_critical=True)
    version = train_candidate(at=NOON)

    page = lead.get(reverse("admin:classifier_modelversion_change", args=[version.pk]))

    told = page.content.decode()
    assert "of what is decided is right, 95 % sure" in told
    assert "only together with others" in told
    assert "came before a person first" in told


def test_a_model_of_an_earlier_version_has_a_page_too(lead):
    version = a_champion()

    page = lead.get(reverse("admin:classifier_modelversion_change", args=[version.pk]))

    assert page.status_code == 200
    assert "No category is marked critical." in page.content.decode()
