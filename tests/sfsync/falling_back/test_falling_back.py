"""Audits that break the promise let a category fall back; overrides beyond chance are told."""

from datetime import datetime, timedelta

import pytest
from django.urls import reverse

from classifier import leases
from classifier.models import Decision
from sfsync import mode_setting
from sfsync.falling_back import watch_overrides, watch_precision
from sfsync.models import CategoryMapping, Mode, Notice
from tests import factories as make

pytestmark = pytest.mark.django_db


def audited(category, *, right=0, wrong=0, waiting=0, at=None, blind=True):
    """Decisions of automation that were drawn for audit, in this order, and what people said."""
    at = at or leases.now() - timedelta(hours=1)
    other = make.make_category()
    for verdict in ["confirmed"] * right + ["corrected"] * wrong + [""] * waiting:
        decision = make.make_decision(
            category=category, is_audit=True, audit_probability=0.01, decided_at=at
        )
        if not verdict:
            make.make_review(decision=decision, kind="audit", opened_at=at)
            continue
        make.make_feedback(
            thread=decision.thread,
            decision=decision,
            transcript=decision.transcript,
            verdict=verdict,
            category=category if verdict == "confirmed" else other,
            said_at=at,
            is_blind=blind,
            source="desk" if blind else "salesforce",
        )


def mode_of(category):
    return CategoryMapping.objects.get(category=category).mode


@pytest.fixture
def refund():
    return make.make_category("Refund")


def test_a_category_whose_audits_break_the_promise_falls_back_to_suggest(refund):
    audited(refund, right=20, wrong=15)

    assert watch_precision(leases.now()) == ["refund"]

    mapping = CategoryMapping.objects.get(category=refund)
    assert mapping.mode == Mode.SUGGEST
    assert "Of 35 blind audits 20 were right (57 %)" in mapping.fell_back_because
    notice = Notice.objects.get(key="fell-back:refund")
    assert notice.is_ringing
    assert notice.text.startswith("Refund fell back from automatic to suggest by itself.")


def test_one_that_keeps_it_stays_automatic(refund):
    audited(refund, right=50, wrong=2)

    assert watch_precision(leases.now()) == []
    assert not CategoryMapping.objects.filter(category=refund, mode=Mode.SUGGEST).exists()


def test_a_few_wrong_ones_prove_nothing(refund):
    audited(refund, right=1, wrong=1)

    assert watch_precision(leases.now()) == []


def test_it_falls_back_once_and_its_history_says_why(refund):
    audited(refund, right=10, wrong=15)

    watch_precision(leases.now())
    assert watch_precision(leases.now()) == []

    reasons = list(
        CategoryMapping.objects.get(category=refund).history.values_list(
            "history_change_reason", flat=True
        )
    )
    told = [reason for reason in reasons if reason and "Fell back by itself" in reason]
    assert len(told) == 1


def test_a_person_takes_it_back_and_a_new_test_begins(refund):
    audited(refund, right=10, wrong=15)
    watch_precision(leases.now())

    mode_setting.set_mode(Mode.AUTOMATIC, "refund", by="ada")

    mapping = CategoryMapping.objects.get(category=refund)
    assert (mapping.mode, mapping.fell_back_at, mapping.fell_back_because) == (
        Mode.AUTOMATIC, None, "",
    )  # fmt: skip
    assert mapping.history.first().history_change_reason == "Set by ada."
    assert not Notice.objects.still_open().filter(key="fell-back:refund").exists()
    assert watch_precision(leases.now()) == []
    audited(refund, right=10, wrong=15, at=leases.now())
    assert watch_precision(leases.now()) == ["refund"]


def test_what_an_earlier_champion_decided_is_not_held_against_this_one(refund):
    audited(refund, right=10, wrong=15)
    make.make_model_version(stage="champion", promoted_at=leases.now())

    assert watch_precision(leases.now()) == []


def test_one_that_is_only_suggested_anyway_stays_so(refund):
    make.make_category_mapping(category=refund, mode=Mode.SHADOW)
    audited(refund, right=10, wrong=15)

    assert watch_precision(leases.now()) == []
    assert mode_of(refund) == Mode.SHADOW


def test_quick_corrections_do_not_crowd_out_what_still_waits_for_its_audit(refund):
    """Representatives correct at once; the right ones wait for the reviewer, drawn before."""
    audited(refund, waiting=1)
    audited(refund, wrong=20, blind=False)

    assert watch_precision(leases.now()) == []


def test_a_person_who_named_a_more_special_reason_found_it_right():
    parent = make.make_category("Billing")
    child = make.make_category("Invoice", parent=parent)
    at = leases.now() - timedelta(hours=1)
    for _ in range(30):
        decision = make.make_decision(
            category=parent, is_audit=True, audit_probability=0.01, decided_at=at
        )
        make.make_feedback(
            thread=decision.thread, decision=decision, transcript=decision.transcript,
            verdict="corrected", category=child, said_at=at, is_blind=True,
        )  # fmt: skip

    assert watch_precision(leases.now()) == []


def test_the_list_of_categories_shows_it(client, refund):
    audited(refund, right=10, wrong=15)
    watch_precision(leases.now())
    client.force_login(make.make_administrator())

    listed = client.get(reverse("admin:classifier_category_changelist")).content.decode()
    page = client.get(reverse("admin:classifier_category_change", args=[refund.pk]))

    assert "Suggest, fell back" in listed
    assert "Of 25 blind audits 10 were right" in page.content.decode()


def midnight() -> datetime:
    return leases.now().replace(hour=0, minute=0, second=0, microsecond=0)


def week(category, back, *, decisions, overrides):
    """A week of decisions, ``back`` weeks before the last whole one."""
    at = midnight() - timedelta(days=7 * back + 3)
    words = make.make_transcript(decided_at=at)
    made = Decision.objects.bulk_create(
        Decision(
            thread=f"{category.code}-{back}-{number}", transcript=words, category=category,
            source="model", confidence=0.9, decided_at=at, superseded_at=at,
        )
        for number in range(decisions)
    )  # fmt: skip
    for decision in made[:overrides]:
        make.make_feedback(
            thread=decision.thread, decision=decision, transcript=words, verdict="corrected",
            source="salesforce", said_at=at, category=None,
        )  # fmt: skip


def history(category, *, now, decisions=200, before=(10, 12, 9, 11, 10, 8, 12, 10)):
    week(category, 0, decisions=decisions, overrides=now)
    for back, overrides in enumerate(before, start=1):
        week(category, back, decisions=200, overrides=overrides)


def test_overrides_that_rise_beyond_chance_are_told_and_fall_silent(refund):
    history(refund, now=60)

    assert watch_overrides(leases.now()) == ["refund"]

    notice = Notice.objects.get(key="overrides:refund")
    assert notice.is_ringing
    assert "People overrode Refund 60 times" in notice.text
    assert watch_overrides(leases.now() + timedelta(days=7)) == []
    notice.refresh_from_db()
    assert notice.cleared_at


def test_an_ordinary_week_is_told_to_nobody(refund):
    history(refund, now=13)

    assert watch_overrides(leases.now()) == []


def test_a_flood_of_contacts_with_as_many_overrides_each_is_no_rise(refund):
    history(refund, now=52, decisions=1000)

    assert watch_overrides(leases.now()) == []
