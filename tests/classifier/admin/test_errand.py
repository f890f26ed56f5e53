from datetime import timedelta

import pytest
from django.urls import reverse

from classifier import leases
from classifier.admin.errand import in_words
from classifier.models import Errand, ErrandFile
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(client):
    user = make.make_user(username="ada")
    client.force_login(user)
    client.user = user
    return client


def progress(client, errand: Errand):
    return client.get(reverse("admin:classifier_errand_progress", args=[errand.pk]))


def with_file(**fields) -> Errand:
    errand = make.make_errand(kind="export", done_at=make.NOON, share=1.0, **fields)
    file = ErrandFile.objects.create(errand=errand, name="reasons.csv", media_type="text/csv")
    for number, content in enumerate((b"a,", b"b\n")):
        file.pieces.create(number=number, content=content)
    return errand


def fetch(client, errand: Errand):
    return client.get(reverse("admin:classifier_errand_file", args=[errand.pk]))


def test_who_asked_sees_how_far_it_is_and_how_long_it_will_take(ada):
    began = leases.now() - timedelta(seconds=30)
    errand = make.make_errand(
        asked_by=ada.user, started_at=began, share=0.25, said="checking part 2 of 5"
    )

    told = progress(ada, errand).json()

    assert (told["state"], told["percent"], told["said"]) == (
        "running",
        25,
        "Checking part 2 of 5",
    )
    assert told["time"].startswith("30 seconds so far, about")


def test_an_errand_that_waits_says_so_and_one_that_failed_says_why(ada):
    waiting = make.make_errand(asked_by=ada.user)
    failed = make.make_errand(asked_by=ada.user, done_at=make.NOON, error="Too few labels.")

    assert progress(ada, waiting).json()["said"] == "Waits for a worker"
    told = progress(ada, failed).json()
    assert (told["state"], told["said"]) == ("failed", "Too few labels.")


def test_others_follow_it_only_with_the_right(client):
    errand = make.make_errand(asked_by=make.make_user())

    client.force_login(make.make_user())
    assert progress(client, errand).status_code == 403
    client.force_login(make.make_user("classifier.view_errand"))
    assert progress(client, errand).status_code == 200


def test_a_file_is_for_who_asked_and_for_those_who_may_see_every_team(ada, client):
    errand = with_file(asked_by=ada.user)

    answer = fetch(ada, errand)
    assert b"".join(answer.streaming_content) == b"a,b\n"
    assert answer["Content-Disposition"] == 'attachment; filename="reasons.csv"'
    assert "no-store" in answer["Cache-Control"]

    client.force_login(make.make_user("classifier.view_errand"))
    assert fetch(client, errand).status_code == 403
    assert progress(client, errand).json()["file"] == ""
    client.force_login(
        make.make_user("classifier.view_errand", "classifier.see_all_conversations")
    )
    assert fetch(client, errand).status_code == 200


def test_a_file_that_was_forgotten_is_gone(ada):
    errand = make.make_errand(asked_by=ada.user, done_at=make.NOON)

    assert fetch(ada, errand).status_code == 404


def test_the_page_of_a_finished_errand_tells_what_came_of_it(ada):
    version = make.make_model_version()
    errand = make.make_errand(
        asked_by=ada.user,
        done_at=make.NOON,
        result={"model": version.pk, "told": "Model 4 is trained."},
    )

    page = ada.get(reverse("admin:classifier_errand_change", args=[errand.pk]))
    way = ada.get(reverse("admin:classifier_errand_result", args=[errand.pk]))

    assert "Model 4 is trained." in page.content.decode()
    assert way.url == reverse("admin:classifier_modelversion_change", args=[version.pk])


def test_the_result_of_what_is_not_over_leads_to_its_progress(ada):
    errand = make.make_errand(asked_by=ada.user)

    way = ada.get(reverse("admin:classifier_errand_result", args=[errand.pk]), follow=True)

    assert "Waits for a worker" in way.content.decode()
    assert "classifier/errands" in way.content.decode()  # the script that follows it


def test_the_list_tells_what_was_asked_by_whom_and_how_it_ended(client):
    client.force_login(make.make_user("classifier.view_errand"))
    make.make_errand(asked_by=make.make_user(username="bo"), done_at=make.NOON, error="No.")
    make.make_errand(kind="of_another_version", started_at=make.NOON, share=0.4)

    shown = client.get(reverse("admin:classifier_errand_changelist")).content.decode()

    assert "Train a candidate" in shown
    assert "bo" in shown
    assert "Of another version" in shown
    assert "40 %" in shown
    assert "failed" in shown


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "less than a second"),
        (1, "1 second"),
        (119, "119 seconds"),
        (200, "3 minutes"),
        (9000, "2.5 hours"),
    ],
)
def test_time_is_told_as_people_say_it(seconds, words):
    assert in_words(seconds) == words
