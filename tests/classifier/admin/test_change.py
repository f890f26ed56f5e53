import pytest
from django.urls import reverse

from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def reviewer(client):
    client.force_login(make.make_user("classifier.view_transcript", "classifier.view_decision"))
    return client


def page(client, transcript, **query):
    address = reverse("admin:classifier_transcript_change", args=[transcript.pk])
    return client.get(address, query)


@pytest.fixture
def refund(db):
    """Somebody who wants a refund, decided by a rule."""
    category = make.make_category("Refund")
    make.make_rule(category=category, any_of="refund")
    transcript = make.make_transcript("Where is my Refund? I want the refund.")
    make.make_decision(transcript=transcript, category=category)
    return transcript


def test_it_is_tried_out_only_when_somebody_asks(reviewer, refund):
    shown = page(reviewer, refund)

    assert shown.context["page"].change is None
    assert "What would change it?" in shown.content.decode()


def test_the_words_are_told_and_what_would_be_answered_without_them(reviewer, refund):
    shown = page(reviewer, refund, change="").content.decode()

    assert "“Refund”</b>, a person would have to look." in shown
    assert "no smaller set of words changes it" in shown


def test_it_says_so_where_the_answer_today_is_another(reviewer, refund):
    make.make_rule(category=make.make_category("Praise"), any_of="where")

    shown = page(reviewer, refund, change="")

    change = shown.context["page"].change
    assert change.answer_today == ""  # two certain rules contradict each other today
    assert (change.words, change.answer) in [(("Where",), "Refund"), (("Refund",), "Praise")]
    assert "answer otherwise than then: a person should look." in shown.content.decode()
    assert f"it would be: <b>{change.answer}</b>." in shown.content.decode()


def test_words_that_hide_themselves_are_shown(reviewer):
    category = make.make_category("Refund")
    make.make_rule(category=category, any_of="refund")
    transcript = make.make_transcript("my ref\u202eund <b>")
    make.make_decision(transcript=transcript, category=category)

    shown = page(reviewer, transcript, change="").content.decode()

    assert "“ref⟨U+202E⟩und”" in shown


def test_where_nothing_changes_it_that_is_the_answer(reviewer):
    words = [f"word{letter}" for letter in "abcdefghijkl"]
    category = make.make_category("Refund")
    make.make_rule(category=category, any_of="\n".join(words))
    transcript = make.make_transcript(" ".join(words))
    make.make_decision(transcript=transcript, category=category)

    shown = page(reviewer, transcript, change="").content.decode()

    assert "The answer stays even without the 8 words that count most" in shown


@pytest.mark.parametrize("source", ["person"])
def test_what_a_person_decided_no_words_change(reviewer, refund, source):
    refund.decisions.update(source=source)

    shown = page(reviewer, refund, change="")

    assert shown.context["page"].change is None
    assert "What would change it" not in shown.content.decode()
