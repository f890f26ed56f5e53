import pytest
from django.urls import reverse

from classifier.admin.rule_form import TrialForm, trial
from classifier.models import Category, KeywordRule
from tests import factories as make
from tests.classifier.making import gold_labels

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
    assert answer.consequence.startswith("It would assign Refund, once labels show")


def test_a_certain_rule_would_assign_at_once():
    answer = tried(try_text="my money back", is_certain="on")

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


LANGUAGE = {"written_in": "language", "any_of": ""}


def test_a_rule_typed_in_the_language_is_stored_as_json_and_shown_as_text_again(client):
    client.force_login(make.make_administrator())
    text = 'all("money back", none("policy" by representative))'

    client.post(reverse("admin:classifier_keywordrule_add"), rule_values(text=text, **LANGUAGE))

    rule = KeywordRule.objects.get()
    assert rule.expression["version"] == 1
    assert (rule.text, rule.any_of) == (text, "")
    page = client.get(reverse("admin:classifier_keywordrule_change", args=[rule.pk]))
    assert page.context["adminform"].form.initial["text"] == text
    assert rule.history.get().expression == rule.expression


def test_a_rule_in_boxes_is_offered_in_the_language_too(client):
    client.force_login(make.make_administrator())
    rule = make.make_rule(any_of="refund\nmoney back", none_of="policy")

    page = client.get(reverse("admin:classifier_keywordrule_change", args=[rule.pk]))

    initial = page.context["adminform"].form.initial
    assert initial["written_in"] == "boxes"
    assert initial["text"] == 'all(words("refund", "money back"), none("policy"))'


@pytest.mark.parametrize(
    ("text", "told"),
    [('all("money"', "expected"), ("", "expected"), ('none("money")', "hold for silence")],
)
def test_a_mistake_in_the_language_is_shown_at_its_box(client, text, told):
    client.force_login(make.make_administrator())

    answer = client.post(
        reverse("admin:classifier_keywordrule_add"), rule_values(text=text, **LANGUAGE)
    )

    errors = answer.context["adminform"].form.errors
    assert list(errors) == ["text"]
    assert told in errors["text"][0]
    assert not KeywordRule.objects.exists()


def test_examples_keep_a_rule_of_the_language_from_being_saved(client):
    client.force_login(make.make_administrator())

    answer = client.post(
        reverse("admin:classifier_keywordrule_add"),
        rule_values(text='fuzzy("refund")', must_match="a refnud\nnothing", **LANGUAGE),
    )

    errors = answer.context["adminform"].form.errors
    assert errors["must_match"] == ["Line 2: the rule does not find “nothing”, which it must."]


def test_a_rule_of_the_language_is_told_back_and_marked_turn_by_turn():
    said = "Customer: my card is gone\nAgent: Was it stolen?\nCustomer: stolen, yes"

    answer = tried(text='"card" and "stolen" by representative', try_text=said, **LANGUAGE)

    assert answer.explanation.startswith("When the customer says “card”")
    assert answer.has_matched
    found = [(turn.who, one.text) for turn in answer.turns for one in turn.segments if one.kind]
    assert found == [("Customer", "card"), ("Representative", "stolen")]


def test_examples_are_tried_while_typing():
    answer = tried(must_match="my money back\nrefund me", must_not_match="good morning")

    assert answer.examples == 3
    assert [failure[:18] for failure in answer.failures] == ["Must match, line 2"]


def test_the_place_of_a_mistake_is_told_while_typing(editor):
    answer = editor.post(TRY, rule_values(text='near("a" "b", 3)', **LANGUAGE))

    assert "Character 10" in answer.content.decode()


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "Not measured yet"),
        ({"measured_at": make.NOON}, "It finds none of the labelled conversations"),
        (
            {"measured_at": make.NOON, "labels_right": 38, "labels_found": 40, "strength": 0.93},
            "Right in 38 of 40 labelled conversations it found, so its strength is 93 %.",
        ),
        (
            {"measured_at": make.NOON, "labels_right": 8, "labels_found": 40, "strength": 0.21,
             "model_better": 12, "model_worse": 1},
            "The model has overtaken it:",
        ),
    ],
)  # fmt: skip
def test_the_form_tells_what_labels_say_of_a_rule(client, fields, told):
    client.force_login(make.make_administrator())
    rule = make.make_rule(**fields)

    page = client.get(reverse("admin:classifier_keywordrule_change", args=[rule.pk]))

    assert told in " ".join(page.content.decode().split())


def test_the_list_tells_counts_and_where_the_model_does_better(client):
    client.force_login(make.make_administrator())
    counts = {"measured_at": make.NOON, "labels_right": 8, "labels_found": 40, "strength": 0.21}
    make.make_rule(**counts, model_better=12, model_worse=1)
    make.make_rule()

    page = client.get(reverse("admin:classifier_keywordrule_changelist")).content.decode()

    assert "8 of 40; the model does better" in page
    assert "not measured" in page


def test_a_saved_rule_is_measured_at_once_where_labels_are_few(client):
    client.force_login(make.make_administrator())
    gold_labels()
    parcel = Category.objects.get(code="delivery")

    client.post(
        reverse("admin:classifier_keywordrule_add"),
        rule_values(any_of="parcel", category=parcel.pk),
    )

    rule = KeywordRule.objects.get()
    assert rule.labels_found > 0
    assert rule.strength == pytest.approx((rule.labels_right + 1) / (rule.labels_found + 2))


def test_a_change_of_the_name_alone_keeps_the_measure(client):
    client.force_login(make.make_administrator())
    category = make.make_category("Refund")
    rule = make.make_rule(
        category=category, any_of="money back", measured_at=make.NOON, labels_right=3,
        labels_found=4, strength=0.6, is_certain=False,
    )  # fmt: skip
    address = reverse("admin:classifier_keywordrule_change", args=[rule.pk])

    client.post(address, rule_values(name="Another", category=category.pk))
    rule.refresh_from_db()
    kept = (rule.name, rule.labels_found)
    client.post(address, rule_values(any_of="cash", category=category.pk))
    rule.refresh_from_db()

    assert kept == ("Another", 4)
    assert rule.labels_found == 0
