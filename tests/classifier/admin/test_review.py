import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import count

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from lxml import html

from classifier import leases
from classifier.models import Category, Feedback, Review, Transcript
from tests import factories as make

pytestmark = pytest.mark.django_db
CASES = 200
REVIEWERS = 4


@pytest.fixture
def ada():
    return make.make_user("classifier.change_review", username="ada")


@pytest.fixture
def desk(client, ada) -> "Desk":
    client.force_login(ada)
    return Desk(client)


class Desk:
    """A reviewer's page, as a program uses it."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.review = ""
        self.transcript = ""

    def open(self) -> str:
        return self._shown(self.client.get(reverse("review")).content.decode())

    def send(self, act: str, **fields: object) -> dict[str, object]:
        answer = self.client.post(reverse(f"review_{act}"), fields)
        body = answer.json()
        if "html" in body:
            self._shown(body["html"])
        return {"status": answer.status_code, **body}

    def answer(self, *codes: str, **fields: object) -> dict[str, object]:
        shown = {"review": self.review, "transcript": self.transcript}
        said = {"verdict": "reasons", "reason": list(codes), "note": ""}
        return self.send("answer", **{**shown, **said, **fields})

    def _shown(self, page: str) -> str:
        found = html.fromstring(page).xpath("//*[@data-review]")
        self.review = found[0].get("data-review") if found else ""
        self.transcript = found[0].get("data-transcript") if found else ""
        return page


def waiting(**fields: object) -> Review:
    """Return a question with one suggestion, ``billing.refund``."""
    refund = Category.objects.filter(label="Refund").first()
    refund = refund or make.make_category("Refund", make.make_category("Billing"))
    decision = make.make_decision(category=None)
    make.make_reason(decision, category=refund, is_suggestion=True, score=0.41)
    return make.make_review(decision=decision, **fields)


# --- What is shown ------------------------------------------------------------------------


def test_the_question_comes_with_its_case_number_suggestions_and_why(desk, settings):
    settings.SALESFORCE_LOCAL_ORIGIN = ""
    make.make_connection(instance_host="acme.my.salesforce.com")
    review = waiting()
    make.make_case_link(case_id=review.thread, case_number="00001234")

    page = desk.open()

    assert "Case 00001234" in page
    assert f"https://acme.my.salesforce.com/lightning/r/Case/{review.thread}/view" in page
    assert "Nothing was sure enough" in page
    assert "Billing &gt; Refund" in page
    assert "41 %" in page


def test_a_blind_question_tells_nothing_that_was_thought_nor_where_to_read_it(desk, settings):
    settings.SALESFORCE_LOCAL_ORIGIN = ""
    make.make_connection()
    refund = make.make_category("Secretrefund")
    decision = make.make_decision(category=refund, is_audit=True, confidence=0.83)
    make.make_reason(
        decision,
        score=0.83,
        evidence=[{"turn": 0, "start": 0, "end": 6, "rule": "Wants", "term": "", "weight": 1}],
    )
    make.make_case_link(case_id=decision.thread)
    make.make_review(decision=decision, kind="audit")

    page = desk.open()

    told = ("ecretrefund", "83 %", "Wants", "<mark", "lightning", "cr-choice")
    assert [word for word in told if word in page] == []
    assert "Please send my money back." in page


def test_a_conflict_shows_what_people_said_and_not_who(desk):
    review = waiting(kind="conflict")
    fault = make.make_category("Fault")
    for person in ("roberta", "evelyn"):
        make.make_feedback(thread=review.thread, person=person, category=fault)

    page = desk.open()

    assert "2 people said so" in page
    assert "roberta" not in page


def test_the_newest_words_are_shown_without_marks_that_do_not_fit_them(desk):
    review = waiting()
    Transcript.objects.filter(pk=review.transcript_id).update(superseded_at=make.NOON)
    newer = make.make_transcript("Never mind.", thread=review.thread)

    page = desk.open()

    assert desk.transcript == str(newer.pk)
    assert "Never mind." in page
    assert "<mark" not in page


def test_a_switched_off_reason_is_neither_offered_nor_taken(desk):
    waiting()
    Category.objects.update(is_active=False)

    page, answer = desk.open(), desk.answer("billing.refund")

    assert "cr-choice" not in page
    assert (answer["status"], Feedback.objects.exists()) == (400, False)
    assert desk.send("reasons")["reasons"] == []


def test_a_case_that_is_deleted_in_salesforce_is_not_asked_about(desk):
    gone, back = waiting(), waiting()
    make.make_case_link(case_id=gone.thread, gone_at=make.NOON)

    desk.open()

    assert desk.review == str(back.pk)


def test_showing_the_next_question_takes_a_fixed_number_of_queries(desk):
    def queries() -> int:
        desk.open()
        with CaptureQueriesContext(connection) as captured:
            assert desk.answer("billing.refund")["status"] == 200
        return len(captured)

    for _ in range(2):
        waiting()
    few = queries()
    for _ in range(10):
        waiting()
        make.make_category(parent=make.make_category())

    assert queries() == few


def test_until_it_is_answered_a_reviewer_reads_an_audited_verdict_nowhere(client):
    client.force_login(
        make.make_user(
            "classifier.change_review",
            "classifier.view_decision",
            "classifier.view_transcript",
            "sfsync.view_writeback",
        )
    )
    decision = make.make_decision(category=make.make_category("Secretrefund"), is_audit=True)
    make.make_reason(decision)
    link = make.make_case_link(case_id=decision.thread)
    write = make.make_write_back(
        decision=decision, case_link=link, fields={"Contact_Reason__c": "Secretrefund"}
    )
    review = make.make_review(decision=decision, kind="audit")
    pages = [
        reverse("admin:classifier_decision_changelist"),
        reverse("admin:classifier_transcript_change", args=[decision.transcript_id]),
        reverse("admin:sfsync_writeback_changelist"),
        reverse("admin:sfsync_writeback_change", args=[write.pk]),
    ]

    def verdicts() -> list[bool]:
        verdict = (
            "//*[@id='result_list']//tbody | //*[contains(@class, 'cr-verdict')]"
            " | //form[@id='writeback_form']"
        )
        shown = [html.fromstring(client.get(page).content) for page in pages]
        return ["ecretrefund" in page.xpath(verdict)[0].text_content() for page in shown]

    assert verdicts() == [False] * 4
    Review.objects.filter(pk=review.pk).update(closed_at=make.NOON, outcome="confirmed")
    assert verdicts() == [True] * 4


# --- What goes wrong ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        pytest.param({"reason": []}, "Choose a reason first", id="nothing chosen"),
        pytest.param({"verdict": "maybe"}, "could not be read", id="no verdict of ours"),
        pytest.param({"note": "x" * 2001}, "too long", id="long note"),
        pytest.param({"transcript": "x"}, "could not be read", id="no transcript"),
    ],
)
def test_a_bad_answer_is_refused_in_words_and_loses_nothing(desk, sent, told):
    waiting()
    desk.open()

    answer = desk.answer("billing.refund", **sent)

    assert (answer["status"], told in answer["told"]) == (400, True)
    assert desk.answer("billing.refund")["status"] == 200


def test_more_words_meanwhile_are_shown_first_and_the_choice_is_kept(desk):
    review = waiting()
    desk.open()
    Transcript.objects.filter(pk=review.transcript_id).update(superseded_at=make.NOON)
    make.make_transcript("No, wait!", thread=review.thread)

    changed = desk.answer("billing.refund")

    assert (changed["status"], changed["keep"], "No, wait!" in changed["html"]) == (
        409,
        True,
        True,
    )
    assert desk.answer("billing.refund")["status"] == 200


def test_whoever_was_signed_out_is_told_so_and_not_sent_away(client):
    answer = client.post(reverse("review_answer"))

    assert (answer.status_code, answer.json()) == (401, {"problem": "signed_out"})


def test_only_those_who_may_answer_reach_the_desk(client):
    client.force_login(make.make_user("classifier.view_review"))
    waiting()

    page = client.get(reverse("review"))
    acts = ["next", "answer", "skip", "undo", "hold", "reasons"]

    assert page.status_code == 403
    assert {client.post(reverse(f"review_{act}")).status_code for act in acts} == {403}
    assert reverse("review") not in client.get(reverse("admin:index")).content.decode()


def test_the_menu_counts_what_waits_for_this_person(desk, client, ada):
    make.make_remit(queues=["Billing"]).group.user_set.add(ada)
    waiting(queue="Shipping")
    waiting(queue="Billing")

    page = html.fromstring(client.get(reverse("admin:index")).content)

    (entry,) = page.xpath(f"//a[@href='{reverse('review')}']")
    assert entry.text_content().split()[-1] == "1"


def test_staying_at_it_keeps_the_case_and_being_away_gives_it_up(desk, ada):
    waiting()
    desk.open()
    Review.objects.update(reserved_until=leases.now() + timedelta(seconds=1))

    assert desk.send("hold", review=desk.review)["held"]
    assert Review.objects.get().reserved_until > leases.now() + timedelta(minutes=9)
    Review.objects.update(reserved_by=make.make_user())
    assert not desk.send("hold", review=desk.review)["held"]


def test_undo_brings_the_last_answer_back_also_after_a_reload(desk):
    first, _ = waiting(), waiting()
    desk.open()
    desk.answer("billing.refund", note="Sure.")
    held = desk.review

    undone = desk.send("undo", current=held)

    assert (desk.review, undone["told"]) == (
        str(first.pk),
        "Taken back. Answer again, or skip.",
    )
    assert 'data-chosen="billing.refund"' in undone["html"]
    assert "Sure." in undone["html"]
    assert Review.objects.get(pk=held).reserved_by is None
    assert desk.send("undo")["status"] == 404


# --- The list -----------------------------------------------------------------------------


def test_the_list_says_who_answered_what_and_cannot_be_changed(client):
    client.force_login(make.make_user("classifier.view_review", "classifier.view_transcript"))
    review = make.make_review(outcome="corrected", reserved_by=make.make_user(username="bob"))

    page = client.get(reverse("admin:classifier_review_changelist")).content.decode()
    row = client.get(reverse("admin:classifier_review_change", args=[review.pk]))

    assert ("bob" in page, "corrected" in page) == (True, True)
    assert row.url == reverse("admin:classifier_transcript_change", args=[review.transcript_id])


# --- Many at once -------------------------------------------------------------------------


class Watch:
    """Who has which Case before them at this moment, as the reviewers see it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._before: dict[str, str] = {}
        self.shared: list[str] = []
        self.answered: Counter[str] = Counter()

    def sees(self, person: str, review: str) -> None:
        with self._lock:
            if review and self._before.setdefault(review, person) != person:
                self.shared.append(review)

    def leaves(self, review: str) -> None:
        with self._lock:
            self._before.pop(review, None)


def work_through(name: str, watch: Watch, failures: list[object]) -> None:
    """Answer until nothing waits; skip every seventh Case, and take every ninth answer back."""
    try:
        client = Client()
        client.force_login(make.User.objects.get(username=name))
        desk = Desk(client)
        desk.open()
        watch.sees(name, desk.review)
        for number in steps(desk):
            before = desk.review
            watch.leaves(before)  # before it is sent: the next one may have it at once
            if number % 7 == 3:
                body = desk.send("skip", review=before)
            else:
                body = desk.answer("billing.refund")
                watch.answered[before] += 1
            if number % 9 == 8:
                watch.leaves(desk.review)
                body = desk.send("undo", review=before, current=desk.review)
                watch.answered[before] -= number % 7 != 3 and body["status"] == 200
            if body["status"] not in {200, 409}:
                failures.append(body)
            watch.sees(name, desk.review)
    finally:
        connection.close()


def steps(desk: Desk) -> Iterator[int]:
    for number in count():
        if not desk.review:
            return
        yield number


@pytest.mark.django_db(transaction=True)
def test_two_hundred_cases_reviewed_by_four_at_once_are_each_one_persons():
    with transaction.atomic():
        for _ in range(CASES):
            waiting()
    names = [f"reviewer{number}" for number in range(REVIEWERS)]
    for name in names:
        make.make_user("classifier.change_review", username=name)
    watch, failures = Watch(), []

    people = [
        threading.Thread(target=work_through, args=(name, watch, failures)) for name in names
    ]
    for person in people:
        person.start()
    for person in people:
        person.join()

    assert (failures, watch.shared) == ([], [])
    closed = Review.objects.exclude(closed_at=None)
    words = Feedback.objects.counted()
    assert closed.count() == words.count() == words.values("thread").distinct().count()
    assert {key for key, times in watch.answered.items() if times} == {
        str(pk) for pk in closed.values_list("pk", flat=True)
    }
    assert max(watch.answered.values()) == 1
    # What is left was skipped by everybody who could have answered it.
    assert closed.count() > CASES * 0.9
