import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from tests import factories as make

pytestmark = pytest.mark.django_db
PAGE = "/admin/classifier/decision/reasons/"
NOW = datetime(2026, 3, 4, 14, 30, tzinfo=UTC)  # a Wednesday
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _wednesday():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def lead(client):
    client.force_login(make.make_user("classifier.view_decision"))
    return client


def contact(category, at=MONDAY, **fields):
    return make.make_decision(category=category, contacted_at=at, decided_at=at, **fields)


def shown(client, **asked):
    answer = client.get(PAGE, asked)
    assert answer.status_code == 200
    return answer.context["report"]


def counts(report):
    return {row.label: row.count for row in report.rows}


def listed(client, url):
    """Return how many decisions the list behind a number shows."""
    answer = client.get(url)
    assert answer.status_code == 200, url
    return answer.context["cl"].result_count


def test_each_contact_counts_once_and_what_waits_has_a_row_of_its_own(lead):
    billing = make.make_category("Billing")
    refund = make.make_category("Refund", billing)
    delivery = make.make_category("Delivery")
    for category in (refund, refund, billing, delivery, None):
        contact(category)
    contact(refund, superseded_at=NOW)

    report = shown(lead)

    assert counts(report) == {"Billing": 3, "Delivery": 1, "Waits for a person": 1}
    assert report.contacts == 5
    assert sum(row.share for row in report.rows) == pytest.approx(1)
    by_leaf = {"Billing > Refund": 2, "Billing": 1, "Delivery": 1, "Waits for a person": 1}
    assert counts(shown(lead, level="leaf")) == by_leaf


def test_all_reasons_of_a_contact_count_but_once_for_a_top_category(lead):
    billing = make.make_category("Billing")
    refund, invoice = make.make_category("Refund", billing), make.make_category("Inv", billing)
    delivery = make.make_category("Delivery")
    decision = contact(refund)
    for rank, category in enumerate([refund, invoice, delivery]):
        make.make_reason(decision, category=category, rank=rank)
    make.make_reason(decision, category=make.make_category("Guess"), is_suggestion=True)

    top = shown(lead, reach="all")
    leaf = shown(lead, reach="all", level="leaf")

    assert counts(top) == {"Billing": 1, "Delivery": 1, "Waits for a person": 0}
    assert counts(leaf)["Billing > Inv"] == 1
    assert top.contacts == leaf.contacts == 1


@pytest.mark.parametrize(
    "asked",
    [
        {"level": "leaf", "channel": "chat"},
        {"reach": "all", "team": ""},
        {"reach": "all", "level": "leaf", "source": "automation"},
        {"weeks": "", "start": "2026-02-01", "until": "2026-02-28"},
    ],
)
def test_every_number_leads_to_as_many_decisions(lead, asked):
    billing = make.make_category("Billing")
    refund = make.make_category("Refund", billing)
    delivery = make.make_category("Delivery")
    for number in range(9):
        decision = contact(
            [refund, billing, delivery, None][number % 4],
            MONDAY - timedelta(days=5 * number),
            channel=["email", "chat"][number % 2],
            team=["", "North"][number % 2],
        )
        if decision.category is not None:
            make.make_reason(decision)
            make.make_reason(decision, category=delivery, rank=1)
    contact(refund, MONDAY - timedelta(days=200))

    answer = lead.get(PAGE, asked)
    view = answer.context["view"]
    assert answer.context["report"].contacts > 0

    for line in view.lines:
        assert listed(lead, line.url) == line.row.count, line.url
    bar = max(view.bars, key=lambda bar: bar.contacts)
    assert listed(lead, bar.url) == bar.contacts
    line = view.cuts[0].lines[0]
    assert listed(lead, line.url) == line.count
    count, _, url = view.across[0].cells[0]
    assert listed(lead, url) == count


def test_the_week_that_is_not_over_is_compared_with_the_same_days_before(lead):
    late, rest = make.make_category("Late parcel"), make.make_category("Rest")
    for week in range(9):
        monday = MONDAY - timedelta(weeks=week)
        for number in range(60 if week == 0 else 15):
            contact(late, monday + timedelta(hours=number % 48))
        for number in range(40):
            contact(rest, monday + timedelta(hours=number % 48))
        if week:  # what came later in the weeks before must not count
            for _ in range(50):
                contact(late, monday + timedelta(days=5))

    report = shown(lead, compare="week")

    (row,) = report.changed
    assert row.label == "Late parcel"
    assert (row.change.count, row.change.usual) == (60, 15)
    page = lead.get(PAGE, {"compare": "week"})
    assert "Late parcel rose from 15 in the same stretch" in page.content.decode()
    (told,) = page.context["view"].told
    assert listed(lead, told[2]) == 60


def test_a_rise_is_told_in_a_sentence_with_what_else_may_explain_it(lead):
    late, rest = make.make_category("Late parcel"), make.make_category("Rest")
    for week in range(1, 10):
        day = MONDAY - timedelta(weeks=week)
        for _ in range(97 if week == 1 else 41):
            contact(late, day)
        for _ in range(100):
            contact(rest, day)
    make.make_model_version(number=5, stage="champion", promoted_at=MONDAY - timedelta(days=3))
    make.make_rule(category=late)

    page = lead.get(PAGE).content.decode()

    assert "Late parcel rose from 41 a week to 97 (expected " in page
    assert "Model 5 became the champion on 27 Feb 2026" in page


def test_how_right_automation_is_comes_from_blind_words_on_the_audit_slice(lead):
    billing = make.make_category("Billing")
    refund = make.make_category("Refund", billing)
    other = make.make_category("Other")
    assert shown(lead).rightness is None
    for said, truth, is_blind in [
        (refund, refund, True),
        (billing, refund, True),  # above the truth is right
        (refund, other, True),
        (refund, other, False),  # who saw the tag does not count
    ]:
        drawn = contact(said, is_audit=True, audit_probability=0.1, superseded_at=NOW)
        make.make_feedback(
            thread=drawn.thread, decision=drawn, category=truth, is_blind=is_blind
        )
    contact(refund)

    share = shown(lead).rightness

    assert (share.size, share.value) == (3, pytest.approx(2 / 3))
    assert 0 < share.low < share.value < share.high < 1


def test_corrections_in_salesforce_before_the_audit_do_not_flatter_the_figure(lead):
    refund, other = make.make_category("Refund"), make.make_category("Other")
    drawn = [contact(refund, is_audit=True, audit_probability=0.1) for _ in range(10)]
    for decision in drawn[:2]:
        make.make_feedback(
            thread=decision.thread, decision=decision, category=other, source="salesforce"
        )
    audits = [make.make_review(kind="audit", decision=decision) for decision in drawn[2:]]
    assert shown(lead).rightness is None  # none but wrong ones are known yet

    for review in audits[:4]:
        make.make_feedback(
            thread=review.thread, decision=review.decision, category=refund, is_blind=True
        )
        review.closed_at, review.outcome = NOW, "confirmed"
        review.save()

    share = shown(lead).rightness

    # Two of ten are wrong, though of the six that somebody looked at it were two of six.
    assert (share.size, share.value) == (6, pytest.approx(0.8))


def test_people_see_the_figures_of_their_groups_only(client):
    billing = make.make_category("Billing")
    contact(billing, team="North")
    contact(billing, team="South")
    group = make.make_group()
    group.permissions.add(Permission.objects.get(codename="view_decision"))
    make.make_remit(group=group, teams=["North"])
    user = make.make_user()
    user.groups.add(group)
    client.force_login(user)

    report = shown(client, reach="all")

    assert report.contacts == 1
    assert [one.value for one in report.cuts[2].values] == ["North"]


def test_who_may_not_see_decisions_sees_no_report(client):
    client.force_login(make.make_user("classifier.view_category"))

    assert client.get(PAGE).status_code == 403
    assert client.get(PAGE + "file/").status_code == 403


def test_an_empty_report_says_what_to_do(lead):
    page = lead.get(PAGE).content.decode()

    assert "No contacts in this period" in page
    assert "sync --once" in page


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"weeks": ""}, "Give both dates"),
        ({"weeks": "", "start": "2026-02-02", "until": "2026-01-02"}, "lies before"),
        ({"weeks": "", "start": "1999-02-02", "until": "2026-01-02"}, "two years"),
        ({"weeks": "17"}, "Select a valid choice"),
        ({"reason": "99999"}, ""),
        ({"compare": "x", "across": "turns", "level": "é"}, "Select a valid choice"),
    ],
)
def test_a_wrong_question_is_named_and_answered_with_the_usual_period(lead, asked, sentence):
    contact(make.make_category("Billing"))

    answer = lead.get(PAGE, asked)

    assert answer.context["report"].contacts == 1
    assert sentence in answer.content.decode()


@pytest.mark.parametrize("asked", [{}, {"reach": "all", "level": "leaf"}])
def test_more_contacts_ask_the_database_no_more(lead, asked):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            shown(lead, **asked)
        return len(captured)

    def fill(number):
        for count in range(number):
            decision = contact(make.make_category(), channel=f"c{count}", team=f"t{count}")
            make.make_reason(decision)
            make.make_reason(decision, category=make.make_category(), rank=1)

    fill(3)
    few = queries()
    fill(20)

    assert queries() == few < 26


def test_the_files_hold_the_figures_and_run_nothing(lead):
    contact(make.make_category("=cmd|calc"), product="@SUM(A1)")
    contact(None)

    sheet = lead.get(PAGE + "file/", {"form": "csv", "weeks": "4"})
    book = lead.get(PAGE + "file/", {"form": "xlsx", "weeks": "4"})

    rows = list(csv.DictReader(io.StringIO(sheet.content.decode("utf-8-sig"))))
    assert [(row["reason"], row["contacts"], row["share"]) for row in rows] == [
        ("'=cmd|calc", "1", "0.5"),
        ("Waits for a person", "1", "0.5"),
    ]
    assert rows[0]["week of 2026-03-02"] == "1"
    opened = load_workbook(io.BytesIO(book.content))
    assert opened["Reasons by week"]["B2"].value == "'=cmd|calc"
    assert [cell.value for cell in opened["By product"]["A"]] == [
        "product",
        "not known",
        "'@SUM(A1)",
    ]
    assert "form" not in sheet["Content-Disposition"]


def test_the_report_is_right_under_the_dashboard_in_the_menu(lead):
    menu = lead.get(reverse("admin:index")).context["sidebar_navigation"]

    titles = [entry["title"] for entry in menu[0]["items"] if entry["has_permission"]]
    assert titles[:2] == ["Dashboard", "Why customers contact us"]
