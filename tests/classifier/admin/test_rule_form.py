import pytest
from django.urls import reverse

from classifier.admin.rule_form import TrialForm, trial
from classifier.models import KeywordRule
from tests import factories as make

pytestmark = pytest.mark.django_db
TRY = "/admin/classifier/keywordrule/try/"


def rule_values(**values):
    return {
        "name": "Wants money",
        "category": values.pop("category", None) or make.make_category("Refund").pk,
        "any_of": "money back",
        "speaker": "customer",
        "whole_word": "on",
        "effect": "assign",
        "strength": "0.9",
        "is_active": "on",
        **values,
    }


@pytest.fixture
def editor(client):
    client.force_login(
        make.make_user("classifier.view_keywordrule", "classifier.change_keywordrule")
    )
    return client


def tried(**values):
    return trial(TrialForm(rule_values(**values)))


def test_a_mistake_is_shown_at_the_box_and_line_it_stands_in(client):
    client.force_login(make.make_administrator())

    answer = client.post(
        reverse("admin:classifier_keywordrule_add"),
        rule_values(none_of="fine\nre*fund\n"),
    )

    errors = answer.context["adminform"].form.errors
    assert list(errors) == ["none_of"]
    assert errors["none_of"][0].startswith("Line 2: a star may only stand at the end")


def test_a_rule_that_looks_for_nothing_is_refused_at_the_first_box(client):
    client.force_login(make.make_administrator())

    answer = client.post(
        reverse("admin:classifier_keywordrule_add"), rule_values(any_of="", none_of="fine")
    )

    assert "at least one phrase" in answer.context["adminform"].form.errors["any_of"][0]
    assert not KeywordRule.objects.exists()


def test_examples_that_fail_keep_the_rule_from_being_saved(client):
    client.force_login(make.make_administrator())

    answer = client.post(
        reverse("admin:classifier_keywordrule_add"),
        rule_values(
            must_match="I want my money back\nrefund me",
            must_not_match="no money back guarantee here",
        ),
    )

    errors = answer.context["adminform"].form.errors
    assert errors["must_match"] == [
        "Line 2: the rule does not find “refund me”, which it must."
    ]
    assert errors["must_not_match"] == [
        "Line 1: the rule finds “no money back guarantee here”, which it must leave alone."
    ]
    assert not KeywordRule.objects.exists()


def test_examples_of_a_rule_for_the_bot_count_as_said_by_the_bot(client):
    client.force_login(make.make_administrator())

    client.post(
        reverse("admin:classifier_keywordrule_add"),
        rule_values(speaker="bot", must_match="You get your money back."),
    )

    assert KeywordRule.objects.get().must_match == "You get your money back."


def test_a_good_rule_is_saved_and_its_history_begins(client):
    client.force_login(make.make_administrator())

    client.post(reverse("admin:classifier_keywordrule_add"), rule_values())

    rule = KeywordRule.objects.get()
    assert rule.any_of == "money back"
    assert rule.history.count() == 1


def test_the_rule_is_told_back_in_plain_words():
    answer = tried()

    assert answer.explanation == "When the customer says “money back”: assign Refund."
    assert not answer.is_tried


def test_a_pasted_text_shows_what_the_rule_found():
    answer = tried(try_text="Give me my MONEY   back!")

    assert answer.has_matched
    assert [one.text for one in answer.segments if one.kind == "rule"] == ["MONEY   back"]
    assert answer.consequence == "It would assign Refund."


def test_a_text_without_the_words_does_not_match():
    answer = tried(try_text="Where is my parcel?")

    assert answer.is_tried
    assert not answer.has_matched


def test_a_rule_for_the_representative_is_tried_on_the_representatives_words():
    assert tried(speaker="representative", try_text="You get your money back.").has_matched


def test_a_mistake_is_told_while_typing():
    assert "star" in tried(any_of="mo*ney").mistake


def test_an_empty_form_says_nothing():
    answer = tried(any_of="")

    assert (answer.explanation, answer.mistake) == ("", "")


def test_a_rule_is_tried_before_a_category_is_chosen():
    values = {**rule_values(), "category": ""}

    answer = trial(TrialForm({**values, "try_text": "my money back"}))

    assert answer.has_matched
    assert "no category chosen yet" in answer.explanation


def test_a_text_that_is_too_long_is_refused():
    assert "at most 20,000 characters" in tried(try_text="a" * 20_001).mistake


def test_trying_saves_nothing(editor):
    answer = editor.post(TRY, rule_values(try_text="my money back"))

    assert answer.status_code == 200
    assert '<mark class="cr-mark cr-mark-rule"' in answer.content.decode()
    assert not KeywordRule.objects.exists()


def test_pasted_text_is_never_markup(editor):
    answer = editor.post(TRY, rule_values(try_text="<script>alert(1)</script> money back"))

    assert "<script>" not in answer.content.decode()
    assert "&lt;script&gt;" in answer.content.decode()


def test_trying_needs_the_right_to_see_rules(client):
    client.force_login(make.make_user())

    assert client.post(TRY, rule_values()).status_code == 403


def test_trying_is_a_post(editor):
    assert editor.get(TRY).status_code == 405
