"""The pages of a backfill: who may do what, and what they show."""

import csv
import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from classifier.models import Remit
from sfsync.models import Backfill, BackfillCase, Connection
from tests import factories as make

pytestmark = pytest.mark.django_db
LIST = "admin:sfsync_backfill_changelist"
Stage = Backfill.Stage


@pytest.fixture(autouse=True)
def _automatic():
    Connection.current()
    Connection.objects.update(mode="automatic")


def member_of(client, name, username="ada"):
    user = make.make_user(username=username)
    user.groups.add(Group.objects.get(name=name))
    client.force_login(user)
    return user


def a_backfill(stage=Stage.REVIEW, cases=3, **fields):
    backfill = make.make_backfill(stage=stage, **fields)
    billing = make.make_category(code="billing", label="Billing")
    BackfillCase.objects.bulk_create(
        BackfillCase(
            backfill=backfill,
            case_id=make.case_id(number),
            case_number=f"=0000{number}",
            verdict="change",
            category=billing,
            team="North" if number % 2 else "South",
            present={"Contact_Reason__c": None},
            proposed={"Contact_Reason__c": "billing", "Contact_Reason_Source__c": "Rules"},
        )
        for number in range(1, cases + 1)
    )
    return backfill


def page_of(backfill):
    return reverse("admin:sfsync_backfill_change", args=[backfill.pk])


def act(client, backfill, name, **data):
    return client.post(reverse(f"admin:sfsync_backfill_{name}", args=[backfill.pk]), data)


def test_an_empty_page_says_what_a_backfill_is_and_takes_a_wish(client):
    user = member_of(client, "Support lead")
    assert "Cases of the past" in client.get(reverse(LIST)).content.decode()

    wish = {"first_day": "2026-01-01", "last_day": "2026-01-31", "origins": "Web, O'Web"}
    client.post(reverse(LIST), wish)

    backfill = Backfill.objects.get()
    assert (backfill.asked_by, backfill.origins) == (user, ["Web", "O'Web"])
    assert backfill.created_to - backfill.created_from == timedelta(days=31)
    assert "under way" in client.get(reverse(LIST)).content.decode()


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"first_day": "2026-02-01", "last_day": "2026-01-01"}, "before the first"),
        ({"first_day": "x", "last_day": "2026-01-01"}, "valid date"),
    ],
)
def test_nonsense_is_refused_where_it_was_typed(client, wish, words):
    member_of(client, "Support lead")

    assert words in client.post(reverse(LIST), wish).content.decode()
    assert not Backfill.objects.exists()


def test_while_one_is_under_way_no_other_is_taken(client):
    member_of(client, "Support lead")
    a_backfill(stage=Stage.READ)

    wish = {"first_day": "2026-01-01", "last_day": "2026-01-31"}
    answer = client.post(reverse(LIST), wish)

    assert Backfill.objects.count() == 1
    assert answer.status_code == 200


def test_the_dry_run_shows_what_would_change_and_the_list_can_be_downloaded(client):
    member_of(client, "Support lead")
    backfill = a_backfill()

    page = client.get(page_of(backfill)).content.decode()
    sheet = client.get(reverse("admin:sfsync_backfill_list", args=[backfill.pk]))

    assert "3 Cases would be changed" in page
    assert "empty" in page
    assert "<strong>billing</strong>" in page
    rows = list(csv.DictReader(io.StringIO(sheet.getvalue().decode("utf-8-sig"))))
    assert len(rows) == 3
    assert rows[0]["case_number"].startswith("'=")
    assert rows[0]["proposed"].startswith("Contact_Reason__c=billing")


def test_another_person_approves_and_then_it_is_written(client):
    asker = member_of(client, "Support lead")
    backfill = a_backfill(asked_by=asker)
    act(client, backfill, "approve")
    assert Backfill.objects.get().stage == Stage.REVIEW
    assert "another person approves" in client.get(page_of(backfill)).content.decode()

    member_of(client, "Administrator", "bob")
    act(client, backfill, "approve")

    backfill.refresh_from_db()
    assert (backfill.stage, backfill.approved_by) == (Stage.WRITE, "bob")
    assert backfill.approved_changes == 3


def test_without_the_permission_nobody_approves_asks_or_looks(client):
    member_of(client, "Reviewer")
    backfill = a_backfill()

    assert client.get(reverse(LIST)).status_code == 403
    assert client.get(page_of(backfill)).status_code == 403
    assert act(client, backfill, "approve").status_code == 403
    assert act(client, backfill, "deed", deed="cancel").status_code == 403
    assert (
        client.get(reverse("admin:sfsync_backfill_list", args=[backfill.pk])).status_code == 403
    )


def test_it_is_paused_gone_on_with_and_cancelled_by_post_only(client):
    member_of(client, "Support lead")
    backfill = a_backfill(stage=Stage.READ, due_at=make.NOON)
    client.get(reverse("admin:sfsync_backfill_deed", args=[backfill.pk]), {"deed": "cancel"})
    assert not Backfill.objects.get().is_cancelled

    act(client, backfill, "deed", deed="pause")
    assert "Paused" in client.get(page_of(backfill)).content.decode()
    act(client, backfill, "deed", deed="resume")
    act(client, backfill, "deed", deed="cancel")

    backfill.refresh_from_db()
    assert (backfill.paused_at, backfill.is_cancelled) == (None, True)


def test_progress_tells_rows_and_time_left_and_when_the_page_has_more_to_show(client):
    member_of(client, "Support lead")
    backfill = a_backfill(stage=Stage.READ, total=10_000, done=2_500)
    url = reverse("admin:sfsync_backfill_progress", args=[backfill.pk])

    told = client.get(url, {"stage": "read-going"}).json()
    assert (told["percent"], told["time"], told["state"]) == (25, "2,500 of 10,000", "running")
    assert client.get(url, {"stage": "list-going"}).json()["state"] == "done"


def test_people_see_the_cases_of_their_own_teams(client):
    user = member_of(client, "Support lead")
    group = Group.objects.create(name="Northern desk")
    Remit.objects.create(group=group, teams=["North"])
    user.groups.add(group)
    backfill = a_backfill(cases=4)

    page = client.get(page_of(backfill)).content.decode()
    sheet = client.get(reverse("admin:sfsync_backfill_list", args=[backfill.pk]))

    assert "=00001" in page
    assert "=00002" not in page
    assert len(sheet.getvalue().decode().strip().splitlines()) == 1 + 2


def test_the_page_costs_the_same_queries_whatever_its_size(
    client, django_assert_max_num_queries
):
    member_of(client, "Support lead")
    backfill = a_backfill(cases=60)
    client.get(page_of(backfill))

    with django_assert_max_num_queries(18):
        client.get(page_of(backfill))
    for _ in range(12):
        make.make_backfill(stage=Stage.DONE, ended_at=make.NOON, asked_by=make.make_user())
    with django_assert_max_num_queries(14):
        client.get(reverse(LIST))


def test_the_weekly_check_is_told_on_its_list_and_on_the_dashboard(client):
    member_of(client, "Administrator")
    assert "Not checked yet" in client.get(reverse("admin:index")).content.decode()
    make.make_reconciliation(looked_at=8123, missed=2)

    dashboard = client.get(reverse("admin:index")).content.decode()
    page = client.get(reverse("admin:sfsync_reconciliation_changelist")).content.decode()

    assert "Missed by the pull, last check" in dashboard
    assert "8,123" in dashboard
    assert "8,123" in page
