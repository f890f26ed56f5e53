from contextlib import contextmanager
from contextvars import copy_context
from datetime import timedelta
from threading import Event

import pytest

from classifier import leases
from classifier.models import Transcript
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting():
    return [factories.make_transcript() for _ in range(3)]


def take(limit=10, **options):
    return leases.take(Transcript.objects.waiting(), limit=limit, **options)


def test_a_claimed_row_is_nobody_elses(waiting):
    mine = take(2)
    others = take(2)

    assert [row.pk for row in mine + others] == [row.pk for row in waiting]


def test_a_claim_that_ran_out_is_free_again_under_a_new_epoch(waiting):
    take(1, seconds=-1)

    (row,) = take(1)

    assert (row.pk, row.epoch, row.attempts) == (waiting[0].pk, 2, 2)


def test_a_released_claim_does_not_count_as_an_attempt(waiting):
    leases.release(take(1))

    assert [row.attempts for row in take(1)] == [1]


def test_releasing_a_claim_that_another_took_over_changes_nothing(waiting):
    lost = take(1, seconds=-1)
    (owner,) = take(1)

    leases.release(lost)

    assert Transcript.objects.get(pk=owner.pk).lease_token == owner.lease_token


@pytest.mark.django_db(transaction=True)
def test_a_kept_claim_outlasts_its_seconds():
    factories.make_transcript()
    rows = take(seconds=0.4)

    with leases.kept(rows, seconds=0.4):
        Event().wait(0.8)
        others = take()

    assert others == []


def test_a_world_with_a_clock_of_its_own_keeps_the_claims_by_it(waiting):
    @contextmanager
    def by_a_clock_that_has_gone_on(renew, seconds):
        asked.append(seconds)
        renew()
        yield

    asked = []
    rows = take(seconds=-1)
    world = copy_context()
    world.run(leases.keeper.set, by_a_clock_that_has_gone_on)

    def others_while_kept():
        with leases.kept(rows):
            return take()

    assert (world.run(others_while_kept), asked) == ([], [5.0])


def test_a_claim_is_free_soon_after_nobody_keeps_it(waiting):
    rows = take(seconds=60)

    leases.renew(rows, seconds=-1)

    assert len(take()) == 3


def test_the_clock_is_the_databases(waiting):
    (row,) = take(1)

    assert abs(row.leased_until - leases.now() - timedelta(seconds=leases.SECONDS)) < timedelta(
        seconds=2
    )
