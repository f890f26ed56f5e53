import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from classifier.comparing import compare_with_champion
from classifier.models import Category, Comparison, ModelVersion
from tests import factories as make
from tests.classifier.making import NOON, a_champion, a_model_without, a_rule, gold_labels

pytestmark = pytest.mark.django_db


@pytest.fixture
def comparison() -> Comparison:
    gold_labels()
    candidate = a_champion(2)
    ModelVersion.objects.update(stage="candidate")
    a_champion(1, a_model_without("login"))
    return compare_with_champion(candidate, at=NOON)


@pytest.fixture
def viewer(client):
    client.force_login(
        make.make_user(
            "classifier.view_comparison",
            "classifier.view_modelversion",
            "classifier.change_modelversion",
        )
    )
    return client


def shown(client, comparison, **asked) -> str:
    address = reverse("admin:classifier_comparison_change", args=[comparison.pk])
    return client.get(address, asked).content.decode()


def test_the_page_says_in_words_what_the_figures_come_to(viewer, comparison):
    page = shown(viewer, comparison)

    assert "Better beyond chance on" in page
    assert "new to the candidate" in page
    assert "texts are few" in page
    assert "Propose for promotion" in page


def test_flips_are_filtered_and_lead_to_their_conversations(viewer, comparison):
    better = [flip for flip in comparison.found.flips if flip.change == "better"]
    worse = [flip for flip in comparison.found.flips if flip.change == "worse"]

    page = shown(viewer, comparison, flips="better")

    address = reverse("admin:classifier_transcript_change", args=[better[0].key])
    assert f'href="{address}"' in page
    assert page.count('class="cr-badge cr-good">now right') == min(len(better), 25)
    assert "no longer right</span>" not in page
    assert ("None of this kind" in shown(viewer, comparison, flips="worse")) is not bool(worse)


def many_categories(comparison: Comparison, number: int) -> None:
    line = comparison.figures["lines"][0]
    comparison.figures["lines"] = [{**line, "category": f"leaf {n}"} for n in range(number)]
    comparison.save()


def test_many_categories_come_in_pages_beside_those_of_the_flips(viewer, comparison):
    many_categories(comparison, 60)

    first, second = shown(viewer, comparison), shown(viewer, comparison, lines=2, flips="worse")

    assert "leaf 49" in first
    assert "leaf 50" not in first
    assert "Page 1 of 2 (60 categories)" in first
    assert "leaf 50" in second
    assert 'href="?flips=worse#categories">Earlier' in second


def test_a_category_is_found_by_its_name(viewer, comparison):
    many_categories(comparison, 60)

    page = shown(viewer, comparison, find="LEAF 57")

    assert "leaf 57" in page
    assert "leaf 5<" not in page
    assert "No category of these texts is called so" in shown(viewer, comparison, find="zebra")


def test_the_page_asks_no_more_for_more_categories(viewer, comparison):
    counts = []
    for number in (5, 500):
        many_categories(comparison, number)
        shown(viewer, comparison)
        with CaptureQueriesContext(connection) as captured:
            shown(viewer, comparison)
        counts.append(len(captured))

    assert counts[0] == counts[1]


def test_what_changed_since_is_told_and_comparing_again_offered(viewer, comparison):
    assert "Out of date" not in shown(viewer, comparison)
    a_rule("Parcel", Category.objects.get(code="delivery"), "parcel")

    page = shown(viewer, comparison)

    assert "Out of date: the keyword rules changed since" in page
    assert "Compare again" in page


def test_the_page_asks_no_more_for_more_texts(viewer, comparison):
    shown(viewer, comparison)
    with CaptureQueriesContext(connection) as few:
        shown(viewer, comparison, flips="worse")
    with CaptureQueriesContext(connection) as many:
        shown(viewer, comparison)

    assert abs(len(many) - len(few)) <= 1  # no transcripts are read where none is shown


def test_figures_of_another_version_are_told_and_not_guessed_at(viewer, comparison):
    Comparison.objects.update(figures={"texts": 3})

    assert "These figures cannot be read" in shown(viewer, comparison)
    assert "of an earlier version" in listed(viewer).content.decode()


def listed(client):
    return client.get(reverse("admin:classifier_comparison_changelist"))


def test_the_list_tells_the_verdict_without_reading_all_figures(viewer, comparison):
    page = listed(viewer)

    (row,) = page.context["cl"].result_list
    assert "Better beyond chance on" in page.content.decode()
    assert "figures" in row.get_deferred_fields()
    assert "metrics" in row.candidate.get_deferred_fields()


def test_a_comparison_with_no_champion_is_listed_as_alone(viewer, comparison):
    comparison.figures["champion"] = None
    comparison.save()

    assert "There is no champion to compare with yet" in listed(viewer).content.decode()


def test_the_list_asks_no_more_for_more_comparisons(viewer, comparison):
    listed(viewer)
    with CaptureQueriesContext(connection) as few:
        listed(viewer)
    for _ in range(5):
        comparison.candidate = make.make_model_version()
        comparison.pk = None
        comparison.save()
    with CaptureQueriesContext(connection) as many:
        listed(viewer)

    assert len(many) == len(few)


def test_who_may_not_see_comparisons_is_refused(client, comparison):
    client.force_login(make.make_user("classifier.view_modelversion"))

    address = reverse("admin:classifier_comparison_change", args=[comparison.pk])

    assert client.get(address).status_code == 403
