import logging
from datetime import timedelta

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import OperationalError
from django.utils import timezone

from classifier import leases
from classifier.errands import ErrandFailed, TakenOver, run_next
from classifier.models import Errand, ErrandFile
from tests import factories as make

pytestmark = pytest.mark.django_db

LONG_AGO = timedelta(seconds=1)


def lose_lease(errand: Errand) -> None:
    """Let the claim run out, as that of a killed worker does."""
    Errand.objects.filter(pk=errand.pk).update(leased_until=leases.now() - LONG_AGO)


def ending(errand: Errand) -> Errand:
    errand.refresh_from_db()
    return errand


def test_an_errand_is_done_with_its_progress_told_and_its_result_kept():
    errand = make.make_errand(kind="count", parameters={"to": 3})
    seen = []

    def count(run):
        for done in range(1, run.parameters["to"] + 1):
            run.say(f"{done} counted", done / 3)
            seen.append(Errand.objects.get().share)
        run.attach("count.txt", "text/plain", [b"1", b"23"])
        return {"told": "Counted to 3."}

    assert run_next({"count": count}) == 1

    over = ending(errand)
    assert seen == [pytest.approx(1 / 3), pytest.approx(2 / 3), 1.0]
    assert (over.is_over, over.has_failed, over.told) == (True, False, "Counted to 3.")
    assert over.lease_token is None
    assert b"".join(over.file.content()) == b"123"


def test_nothing_to_do_and_kinds_of_other_workers_are_left_alone():
    other = make.make_errand(kind="another")

    assert run_next({"count": lambda _run: {}}) == 0

    assert ending(other).started_at is None


def test_the_one_that_waits_longest_comes_first():
    first, second = make.make_errand(kind="count"), make.make_errand(kind="count")

    run_next({"count": lambda _run: {}})

    assert ending(first).is_over
    assert not ending(second).is_over


def test_a_failure_that_was_foreseen_is_told_in_its_own_words():
    errand = make.make_errand(kind="count")

    def refuse(_run):
        raise ErrandFailed("There is nothing to count. Add something first.")

    run_next({"count": refuse})

    assert ending(errand).error == "There is nothing to count. Add something first."
    assert errand.has_failed


def test_an_error_that_nobody_foresaw_is_told_and_logged_without_its_words(caplog):
    errand = make.make_errand(kind="count")

    def stumble(_run):
        raise ValueError("my card is 4111 1111 1111 1111")

    with caplog.at_level(logging.ERROR):
        run_next({"count": stumble})

    told = ending(errand).error
    assert "ValueError" in told
    assert f"errand={errand.pk}" in told
    assert " stumble <" in caplog.text  # where it happened
    assert "4111" not in told + caplog.text


def test_one_that_takes_too_long_says_so():
    errand = make.make_errand(kind="count")

    def linger(_run):
        raise SoftTimeLimitExceeded

    run_next({"count": linger})

    assert "took longer" in ending(errand).error


def test_the_errand_of_a_killed_worker_begins_anew_with_another():
    errand = make.make_errand(kind="count", share=0.7, said="almost done")
    leases.take(Errand.objects.waiting(["count"]), limit=1)

    assert run_next({"count": lambda _run: {}}) == 0  # still claimed
    lose_lease(errand)
    began = []
    run_next({"count": lambda run: began.append(Errand.objects.get().share) or {}})

    assert began == [0.0]
    assert ending(errand).is_over


def test_one_that_kills_its_workers_is_given_up_after_three():
    errand = make.make_errand(kind="count")
    for _ in range(3):
        leases.take(Errand.objects.waiting(["count"]), limit=1)
        lose_lease(errand)
    done = []

    assert run_next({"count": lambda run: done.append(run) or {}}) == 1

    assert done == []
    assert "begun 3 times" in ending(errand).error


def test_a_worker_that_lost_its_claim_changes_nothing_and_stops():
    errand = make.make_errand(kind="count")
    reached = []

    def sleepwalk(run):
        lose_lease(errand)
        (theirs,) = leases.take(Errand.objects.waiting(["count"]), limit=1)
        Errand.objects.filter(pk=theirs.pk).update(said="by another", share=0.5)
        with pytest.raises(TakenOver):
            run.attach("count.txt", "text/plain", [b"mine"])
        run.say("by me", 0.9)
        reached.append("beyond")
        return {}

    run_next({"count": sleepwalk})

    assert reached == []
    assert (ending(errand).said, errand.share, errand.is_over) == ("by another", 0.5, False)
    assert not ErrandFile.objects.exists()


def test_a_late_end_is_not_the_end_of_who_took_over():
    errand = make.make_errand(kind="count")

    def sleepwalk(_run):
        lose_lease(errand)
        leases.take(Errand.objects.waiting(["count"]), limit=1)
        return {"told": "mine"}

    run_next({"count": sleepwalk})

    assert not ending(errand).is_over


def test_two_workers_never_do_the_same_errand():
    make.make_errand(kind="count")
    meanwhile = []

    def count(_run):
        meanwhile.append(run_next({"count": count}))
        return {}

    assert run_next({"count": count}) == 1
    assert meanwhile == [0]


def test_trouble_with_the_database_lets_it_rest_and_others_go_first():
    troubled, other = make.make_errand(kind="count"), make.make_errand(kind="count")

    def stumble(run):
        if run.errand.pk == troubled.pk:
            raise OperationalError("server closed the connection")
        return {}

    run_next({"count": stumble})
    run_next({"count": stumble})

    assert ending(other).is_over
    assert not ending(troubled).is_over
    assert "begins anew" in troubled.said
    assert troubled.leased_until > leases.now() + timedelta(seconds=30)
    lose_lease(troubled)
    run_next({"count": lambda _run: {}})
    assert ending(troubled).is_over


def test_files_are_forgotten_after_a_week_and_errands_after_a_month():
    now = timezone.now()
    for days in (6, 8, 31):
        errand = make.make_errand(kind=f"d{days}", done_at=now - timedelta(days=days))
        ErrandFile.objects.create(errand=errand, name="a", media_type="text/csv")

    run_next({})

    assert set(Errand.objects.values_list("kind", flat=True)) == {"d6", "d8"}
    assert [file.errand.kind for file in ErrandFile.objects.all()] == ["d6"]


def test_asking_again_for_what_waits_asks_for_nothing_new():
    user = make.make_user()
    first = Errand.objects.ask_once("count", at=make.NOON, by=user, parameters={"to": 3})

    same = Errand.objects.ask_once("count", at=make.NOON, parameters={"to": 3})
    other = Errand.objects.ask_once("count", at=make.NOON, parameters={"to": 4})

    assert same == first
    assert other != first
