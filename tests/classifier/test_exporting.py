"""Decisions, feedback and gold labels leave as files, for those who may, with their lineage."""

import csv
import io
import json

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from classifier import errands, exporting
from classifier.engine.text import Transcript as Words
from classifier.export_sheets import SHEETS
from classifier.exporting import Selection
from classifier.importing import Imported, import_gold
from classifier.models import Errand, GoldLabel
from classifier.models.gold_label import Settled
from classifier.spreadsheets import JSONL
from tests import factories as make

pytestmark = pytest.mark.django_db
VIEWS = ("classifier.view_decision", "classifier.view_feedback", "classifier.view_goldlabel")


@pytest.fixture
def lead(client):
    user = make.make_user(*VIEWS, "classifier.add_errand", "classifier.view_errand")
    client.force_login(user)
    client.user = user
    return client


@pytest.fixture
def small_answers(settings):
    settings.EXPORT_AT_ONCE = 2


def export(client, sheet, form="csv", **chosen):
    return client.post(reverse("export", args=[sheet]), {"form": form, **chosen})


def rows(answer):
    text = answer.getvalue().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_decision_says_who_when_where_and_by_which_version(lead):
    refund = make.make_category("Refund", make.make_category("Billing"))
    version = make.make_model_version(number=7)
    decision = make.make_decision(
        category=refund, model_version=version, source="model", channel="email", queue="Money"
    )
    make.make_case_link(case_id=decision.thread, case_number="00001234")

    (row,) = rows(export(lead, "decisions"))

    assert (row["reason"], row["code"]) == ("Billing > Refund", "billing.refund")
    assert (row["case"], row["model"], row["source"]) == ("00001234", "7", "model")
    assert (row["channel"], row["queue"]) == ("email", "Money")
    assert row["decided_at"] == decision.decided_at.isoformat()


def test_a_word_comes_with_all_its_reasons_and_cannot_be_a_formula(lead):
    refund, late = make.make_category("Refund"), make.make_category("Late")
    said = make.make_feedback(category=refund, verdict="corrected", note='=HYPERLINK("x")')
    said.reasons.create(category=late, rank=1)

    (row,) = rows(export(lead, "feedback"))

    assert (row["category"], row["further_codes"]) == ("refund", "late")
    assert row["note"] == '\'=HYPERLINK("x")'
    assert row["decided"] == said.decision.category.code


def test_json_lines_and_xlsx_hold_the_same_rows(lead):
    make.make_gold_label()
    make.make_gold_label()

    lines = export(lead, "gold_labels", "jsonl").getvalue().splitlines()
    sheet = load_workbook(io.BytesIO(export(lead, "gold_labels", "xlsx").getvalue())).active

    keys = [json.loads(line)["gold_label"] for line in lines]
    assert len(keys) == 2
    assert [row[0].value for row in sheet.rows][1:] == keys


def test_words_come_along_only_where_asked_for(lead):
    make.make_decision(
        transcript=make.make_transcript("My parcel is late.", decided_at=make.NOON)
    )

    (bare,), (full,) = (
        rows(export(lead, "decisions")),
        rows(export(lead, "decisions", with_words="on")),
    )

    assert "words" not in bare
    assert full["words"] == "customer: My parcel is late."


@pytest.mark.parametrize(
    ("chosen", "threads"),
    [
        ({"queue": "Money"}, ["a"]),
        ({"since": "2026-03-03"}, ["b"]),
        ({"until": "2026-03-02"}, ["a"]),
        ({"category": "billing"}, ["a"]),
        ({}, ["a", "b"]),
    ],
)
def test_rows_are_chosen_by_day_queue_and_category_with_all_below_it(lead, chosen, threads):
    refund = make.make_category("Refund", make.make_category("Billing"))
    day = make.timedelta(days=1)
    a, b = make.make_transcript(thread="a"), make.make_transcript(thread="b")
    make.make_decision(transcript=a, category=refund, queue="Money")
    make.make_decision(transcript=b, decided_at=make.NOON + day)
    make.make_decision(transcript=make.make_transcript(thread="old"), superseded_at=make.NOON)

    assert [row["thread"] for row in rows(export(lead, "decisions", **chosen))] == threads


def test_a_lead_takes_away_only_what_their_groups_may_see(lead):
    group = make.make_group()
    lead.user.groups.add(group)
    make.make_remit(group=group, queues=["Money"], teams=["Night team"])
    for thread, facets in {
        "a": {"queue": "Money"},
        "b": {"team": "Night team"},
        "c": {"queue": "Parcels"},
    }.items():
        words = make.make_transcript(thread=thread, **facets)
        decision = make.make_decision(transcript=words, **facets)
        make.make_feedback(thread=thread, transcript=words, decision=decision)

    assert [row["thread"] for row in rows(export(lead, "decisions"))] == ["a", "b"]
    assert [row["thread"] for row in rows(export(lead, "feedback"))] == ["a", "b"]


def test_a_reviewer_takes_nothing_away_that_waits_for_a_blind_answer(client):
    open_audit = make.make_review(kind="audit", decision=make.make_decision(channel="voice"))
    answered = make.make_review(kind="audit", outcome="confirmed")
    lead, reviewer = (
        make.make_user(*VIEWS, "classifier.add_errand", *more)
        for more in ((), ("classifier.change_review",))
    )

    taken = {}
    for user in (lead, reviewer):
        client.force_login(user)
        taken[user] = {row["thread"] for row in rows(export(client, "decisions"))}

    assert taken[lead] == {open_audit.thread, answered.thread}
    assert taken[reviewer] == {answered.thread}


def test_looking_at_rows_is_not_the_right_to_take_them_away(client):
    client.force_login(make.make_user(*VIEWS))

    assert export(client, "feedback").status_code == 403
    assert (
        "Export"
        not in client.get(reverse("admin:classifier_feedback_changelist")).rendered_content
    )


def test_more_rows_ask_no_more_questions(lead, django_assert_num_queries):
    for count in (2, 12):
        lead.user.has_perm("any")  # a request has asked by then: remembered for the user
        for _ in range(count):
            make.make_feedback()
        with django_assert_num_queries(5):
            found = list(exporting.content(SHEETS["feedback"], Selection(), lead.user, JSONL))
    assert len(found) == 14


def test_many_rows_are_written_by_a_worker_for_whoever_asked(lead, small_answers):
    for _ in range(3):
        make.make_feedback()

    answer = export(lead, "feedback")

    errand = Errand.objects.get()
    assert answer.url == reverse("admin:classifier_errand_change", args=[errand.pk])
    assert errands.run_next({exporting.ERRAND: exporting.export}) == 1
    errand.refresh_from_db()
    assert (errand.error, errand.share, errand.result["rows"]) == ("", 1.0, 3)
    told = b"".join(errand.file.content()).decode("utf-8-sig")
    assert len(list(csv.DictReader(io.StringIO(told, newline="")))) == 3


def test_an_export_whose_asker_is_gone_fails_and_says_so(lead, small_answers):
    for _ in range(3):
        make.make_feedback()
    export(lead, "feedback")
    lead.user.is_active = False
    lead.user.save()

    errands.run_next({exporting.ERRAND: exporting.export})

    assert "no account" in Errand.objects.get().error


def test_a_large_file_is_kept_in_pieces_and_fetched_whole(lead, small_answers):
    for number in range(3):
        words = make.make_transcript(f"{number} " + "very " * 150_000)
        make.make_decision(transcript=words)
    export(lead, "decisions", "jsonl", with_words="on")

    errands.run_next({exporting.ERRAND: exporting.export})

    errand = Errand.objects.get()
    answer = lead.get(reverse("admin:classifier_errand_file", args=[errand.pk]))
    fetched = answer.getvalue()
    assert errand.file.pieces.count() == 2
    lines = fetched.splitlines()
    assert [json.loads(line)["words"][:11] for line in lines] == [
        "customer: 0",
        "customer: 1",
        "customer: 2",
    ]
    assert len(fetched) == errand.result["bytes"]


def test_gold_labels_come_back_by_import_gold_and_change_nothing(lead, tmp_path):
    refund = make.make_category("Refund", make.make_category("Billing"))
    said = [
        Settled(Words.of(text), categories, "en")
        for text, categories in (
            ("=HYPERLINK is what I need,\nat once", (refund,)),
            ("My parcel is late and I want my money", (make.make_category("Late"), refund)),
            ("Is there a cat in your office?", ()),
        )
    ]
    GoldLabel.objects.keep_all(said, source="desk", at=make.NOON)
    GoldLabel.objects.update(split="train")
    label = GoldLabel.objects.last()
    label.split = "audit"
    label.save()
    path = tmp_path / "gold.jsonl"
    path.write_bytes(export(lead, "gold_labels", "jsonl", with_words="on").getvalue())
    before = list(GoldLabel.objects.values())

    again = import_gold(path, create_categories=False, at=make.NOON)

    assert again == Imported(known=2, held_back=1)
    assert list(GoldLabel.objects.values()) == before


def test_exported_gold_labels_fill_another_installation(lead, tmp_path):
    refund = make.make_category("Refund", make.make_category("Billing"))
    late = make.make_category("Late")
    said = Settled(Words.of("My parcel is late and I want my money"), (late, refund), "en")
    GoldLabel.objects.keep_all([said], source="desk", at=make.NOON)
    GoldLabel.objects.update(split="train")
    path = tmp_path / "gold.jsonl"
    path.write_bytes(export(lead, "gold_labels", "jsonl", with_words="on").getvalue())
    label = GoldLabel.objects.get()
    GoldLabel.objects.drop(label)

    assert import_gold(path, create_categories=False, at=make.NOON).new == 1

    (reasons,) = [list(label.reasons.all()) for label in GoldLabel.objects.all()]
    assert [reason.category for reason in reasons] == [late, refund]


def test_without_their_words_gold_labels_hold_none_in_any_form(lead):
    make.make_gold_label(transcript=make.make_transcript("Xylophone", purpose="learn"))

    for form in ("csv", "jsonl"):
        assert b"Xylophone" not in export(lead, "gold_labels", form).getvalue()
