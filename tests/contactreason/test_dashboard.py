from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from lxml import html

from contactreason.dashboard import dashboard
from sfsync.models import Connection
from tests import factories as make

pytestmark = pytest.mark.django_db
NOW = make.NOON + timedelta(minutes=30)


def tray(name, now=NOW):
    return next(one for one in dashboard(now).trays if one.name == name)


def test_the_first_tray_shows_what_waits_for_a_decision_and_since_when():
    make.make_transcript()
    make.make_transcript(received_at=make.NOON - timedelta(hours=1))
    make.make_transcript(decided_at=make.NOON)
    make.make_transcript(purpose="learn")

    waiting = tray("Waiting for a decision")

    assert waiting.size == 2
    assert waiting.oldest_at == make.NOON - timedelta(hours=1)
    assert waiting.is_late


def test_the_second_tray_holds_decisions_to_stage_and_writes_that_are_due():
    make.make_decision()
    staged = make.make_decision(staged_at=make.NOON)
    make.make_write_back(decision=staged)
    for because in ("shadow", "shadow", "picklist"):
        held = make.make_decision(staged_at=make.NOON)
        make.make_write_back(decision=held, held_because=because)

    writing = tray("Waiting to be written")

    assert writing.size == 2
    assert "2 (shadow mode)" in writing.note


def test_the_third_tray_holds_what_a_person_must_look_at():
    make.make_decision(category=None)
    make.make_decision()

    assert tray("Waiting for a person").size == 1
    assert not tray("Waiting for a person").is_late


@pytest.mark.parametrize(
    ("rights", "way"),
    [
        (("classifier.change_review",), "/admin/review/"),
        ((), "/admin/classifier/decision/?waiting=yes"),
    ],
)
def test_the_third_tray_leads_reviewers_to_where_they_answer(client, rights, way):
    client.force_login(make.make_user("classifier.view_decision", *rights))

    page = html.fromstring(client.get(reverse("admin:index")).content)

    (tray,) = page.xpath("//a[contains(@class, 'cr-tray')][h2='Waiting for a person']")
    assert tray.get("href") == way


def test_a_paused_tray_is_no_alarm():
    make.make_connection(paused_at=make.NOON)
    make.make_decision()

    assert not tray("Waiting to be written").is_late


def test_the_last_bar_is_this_hour_and_a_thread_counts_once_an_hour():
    transcript = make.make_transcript()
    make.make_decision(transcript=transcript, superseded_at=NOW)
    make.make_decision(transcript=transcript)
    make.make_decision(decided_at=NOW - timedelta(hours=23))

    bars = dashboard(NOW).hours

    assert len(bars) == 24
    assert (bars[-1].label, bars[-1].count) == ("12:00", 1)
    assert (bars[0].label, bars[0].count) == ("13:00", 1)


def test_shares_tell_who_decided():
    for source in ("rules", "rules", "model"):
        make.make_decision(source=source)
    make.make_decision(category=None)

    shares = {bar.label: bar.percent for bar in dashboard(NOW).shares}

    assert shares["Rules"] == 50
    assert shares["Waiting for a person"] == 25


def test_the_most_frequent_reason_stands_first():
    refund = make.make_category("Refund", make.make_category("Billing"))
    make.make_decision()
    make.make_decision(category=refund)
    make.make_decision(category=refund)

    first = dashboard(NOW).reasons[0]

    assert (first.label, first.count, first.percent) == ("Billing > Refund", 2, 100)


def test_our_calls_and_the_orgs_are_told_apart():
    make.make_connection(org_calls_used=50_000, org_calls_allowed=100_000)
    make.make_api_spending(started_at=NOW, calls=321)
    make.make_api_spending(started_at=NOW - timedelta(days=1))

    allowance = dashboard(NOW).allowance

    assert (allowance.ours_today, allowance.org_used, allowance.percent) == (321, 50_000, 50)


def test_a_week_of_calls_is_told_beside_what_a_naive_loop_would_use():
    make.make_connection(org_calls_allowed=100_000)
    make.make_api_spending(started_at=NOW, purpose="write", calls=3)
    make.make_api_spending(started_at=NOW, purpose="scan", calls=7)
    make.make_api_spending(started_at=NOW - timedelta(days=1), purpose="scan", calls=20)
    make.make_api_spending(started_at=NOW - timedelta(days=7), purpose="scan", calls=99)
    for _ in range(4):
        make.make_transcript(received_at=NOW)

    calls = dashboard(NOW).calls

    days = [figures.calls for _, figures in calls.days]
    assert days == [0, 0, 0, 0, 0, 20, 10]
    today = calls.days[-1][1]
    assert (today.cases, today.per_thousand, today.naive_per_thousand) == (4, 2500, 1000)
    assert [(one.label, one.calls) for one in calls.purposes] == [
        ("Asking what changed", 27),
        ("Writing", 3),
    ]
    assert (calls.budget.allowed, calls.budget.used, calls.left) == (20_000, 30, 19_970)


def test_a_spent_budget_says_when_writing_goes_on():
    make.make_connection(org_calls_allowed=1_000)
    make.make_api_spending(started_at=NOW, calls=16)

    free_at = dashboard(NOW).calls.budget.free_at

    assert free_at == NOW + timedelta(minutes=65)


def test_only_open_notices_are_shown():
    make.make_notice(text="Renew the token.")
    make.make_notice(cleared_at=make.NOON)

    assert [notice.text for notice in dashboard(NOW).notices] == ["Renew the token."]


def test_what_pulling_and_writing_both_met_is_told_once():
    for key in ("salesforce-pull", "salesforce-refused"):
        make.make_notice(key=key, text="Salesforce refused the login.")

    assert [notice.text for notice in dashboard(NOW).notices] == [
        "Salesforce refused the login."
    ]


def test_an_empty_database_says_what_to_do_in_order():
    commands = [step.command.split(" ", 2)[-1] for step in dashboard(NOW).steps]

    assert commands == [
        "check_salesforce",
        "load_starter_pack",
        "import_gold FILE --create-categories",
    ]


def test_a_trained_model_waits_to_be_promoted():
    make.make_connection()
    make.make_source()
    make.make_rule()
    make.make_model_version()

    assert [step.command for step in dashboard(NOW).steps] == ["python manage.py promote"]


def test_everything_set_up_leaves_no_step():
    make.make_connection()
    make.make_source()
    make.make_rule()
    make.make_model_version(stage="champion")

    assert dashboard(NOW).steps == []


def test_the_number_of_queries_does_not_grow(client, django_assert_num_queries):
    def fill():
        make.make_write_back()
        make.make_decision(category=None)
        make.make_transcript()
        make.make_notice()

    make.make_connection()
    make.make_rule()
    fill()
    with django_assert_num_queries(30):
        dashboard(NOW)
    for _ in range(10):
        fill()

    with django_assert_num_queries(30):
        dashboard(NOW)


def test_one_click_pauses_and_one_resumes(client):
    make.make_connection()
    client.force_login(make.make_user("sfsync.change_connection"))

    client.post(reverse("pause"), {"action": "pause"})
    paused_at = Connection.current().paused_at
    client.post(reverse("pause"), {"action": "resume"})

    assert timezone.now() - paused_at < timedelta(minutes=1)
    assert Connection.current().paused_at is None


def test_pausing_needs_the_right(client):
    make.make_connection()
    client.force_login(make.make_user("classifier.view_decision"))

    assert client.post(reverse("pause")).status_code == 403
    assert Connection.current().paused_at is None


def test_looking_at_the_switch_pauses_nothing(client):
    client.force_login(make.make_administrator())

    assert client.get(reverse("pause")).status_code == 405


def test_the_page_opens_on_an_empty_database(client):
    client.force_login(make.make_administrator())

    shown = client.get(reverse("admin:index")).content.decode()

    assert "What to do next" in shown
    assert "python manage.py check_salesforce" in shown


def test_somebody_without_a_group_is_told_whom_to_ask(client):
    client.force_login(make.make_user())

    assert "in no group yet" in client.get(reverse("admin:index")).content.decode()
