"""A support lead whose group has a remit meets no conversation of another queue, wherever they look."""

from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from lxml import html

from classifier import leases
from classifier.comparing import compare_with_champion
from classifier.models import (
    Decision,
    Feedback,
    GoldLabel,
    ModelVersion,
    Review,
    Transcript,
)
from contactreason.dashboard import dashboard
from tests import factories as make
from tests.classifier.making import NOON, a_champion, a_model_without, gold_labels

pytestmark = pytest.mark.django_db
SECRET = "Zanzibar"
"""Stands in the words, the note and the Case number of what belongs to another queue."""
WITH_WORDS = {"form": "jsonl", "with_words": "on", "is_whole": "on"}


def make_conversation(queue: str, words: str) -> Transcript:
    """Return a conversation with all that can hang on one."""
    facets = {"queue": queue, "team": f"{queue} team"}
    transcript = make.make_transcript(words, **facets)
    now = leases.now()
    decision = make.make_decision(
        transcript=transcript, decided_at=now, category=None, **facets
    )
    link = make.make_case_link(case_id=transcript.thread, case_number=words, **facets)
    make.make_write_back(decision=decision, case_link=link)
    make.make_review(decision=decision, **facets)
    make.make_feedback(
        thread=transcript.thread, transcript=transcript, decision=decision, note=words
    )
    return transcript


@pytest.fixture
def lead(client):
    user = make.make_user()
    remitted = make.make_group()
    user.groups.add(Group.objects.get(name="Support lead"), remitted)
    make.make_remit(group=remitted, queues=["Money"])
    client.force_login(user)
    client.user = user
    return client


@pytest.fixture
def world():
    gold_labels()
    candidate = a_champion(2)
    ModelVersion.objects.update(stage="candidate")
    a_champion(1, a_model_without("login"))
    compare_with_champion(candidate, at=NOON)
    for label_words in Transcript.objects.filter(purpose="learn"):
        label_words.turns = [make.turn(f"{SECRET} {label_words.pk}")]
        label_words.queue = "Parcels"
        label_words.save()
    return make_conversation("Money", "Where is my refund?"), make_conversation(
        "Parcels", SECRET
    )


def links(page: str) -> set[str]:
    found = html.fromstring(page).xpath("//a/@href | //*[@hx-get]/@hx-get")
    paths = {urlsplit(link).path for link in found}
    return {path for path in paths if path.startswith("/admin/") and "logout" not in path}


def test_no_page_that_can_be_reached_shows_a_word_of_another_queue(world, lead):
    own, other = world
    waiting, seen, told, pages = {reverse("admin:index"), reverse("review")}, set(), [], ""
    while waiting:
        path = waiting.pop()
        seen.add(path)
        answer = lead.get(path)
        page = answer.getvalue().decode(errors="replace")
        pages += page
        assert answer.status_code < 400, path
        told += [path] if SECRET in page or other.thread in page else []
        if "html" in answer.get("Content-Type", "") and page:
            waiting |= links(page) - seen

    assert told == []
    assert reverse("admin:classifier_transcript_change", args=[own.pk]) in seen
    assert "(not of your queues and teams)" in pages  # the texts of a comparison


def test_no_address_typed_by_hand_shows_one(world, lead):
    decision = Decision.objects.get(thread=world[1].thread)
    rows = [
        world[1],
        decision,
        decision.write_back,
        decision.write_back.case_link,
        *Feedback.objects.filter(thread=world[1].thread),
        *Review.objects.filter(thread=world[1].thread),
        *GoldLabel.objects.all()[:1],
    ]

    for row in rows:
        page = reverse(f"admin:{row._meta.label_lower.replace('.', '_')}_change", args=[row.pk])
        assert lead.get(page).status_code == 302, page  # as for a row that is not there


@pytest.mark.parametrize("sheet", ["decisions", "feedback", "gold_labels"])
def test_no_export_holds_one(world, lead, sheet):
    file = lead.post(reverse("export", args=[sheet]), WITH_WORDS).getvalue().decode()

    assert SECRET not in file
    assert ("refund?" in file) is (sheet != "gold_labels")


def test_a_file_that_somebody_else_asked_for_is_not_theirs(lead):
    errand = make.make_errand(kind="export", done_at=make.NOON, asked_by=make.make_user())

    assert (
        lead.get(reverse("admin:classifier_errand_file", args=[errand.pk])).status_code == 403
    )


def test_the_first_page_counts_their_own_conversations_and_says_so(world, lead):
    page = lead.get(reverse("admin:index")).content.decode()

    theirs, whole = (dashboard(leases.now(), user) for user in (lead.user, None))
    assert [tray.size for tray in whole.trays] == [2, 4, 2]
    assert [tray.size for tray in theirs.trays] == [1, 2, 1]
    assert (theirs.hours_total, whole.hours_total) == (1, 2)
    assert "your groups’ queues and teams" in page
