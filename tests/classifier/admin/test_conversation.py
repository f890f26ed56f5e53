import pytest
from django.urls import reverse

from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def reviewer(client):
    client.force_login(make.make_user("classifier.view_transcript", "classifier.view_decision"))
    return client


def page(client, transcript, **query):
    return client.get(
        reverse("admin:classifier_transcript_change", args=[transcript.pk]), query
    )


def evidence(start, end, **ground):
    return {
        "turn": 0,
        "start": start,
        "end": end,
        "rule": "",
        "term": "",
        "weight": 0.5,
        **ground,
    }


def test_evidence_is_marked_in_the_customers_own_words(reviewer):
    transcript = make.make_transcript("I want my money back")
    decision = make.make_decision(transcript=transcript)
    make.make_reason(decision, evidence=[evidence(10, 20, rule="Wants money")])

    shown = page(reviewer, transcript).content.decode()

    assert '<mark class="cr-mark cr-mark-rule" title="Rule “Wants money”' in shown
    assert ">money back</mark>" in shown


def test_what_came_along_is_named_in_words(reviewer):
    shown = page(reviewer, make.make_transcript(context={"record_type": "Complaint"}))

    assert "<th>Record type</th><td>Complaint</td>" in shown.content.decode()


def test_what_speaks_against_a_reason_is_told_apart(reviewer):
    transcript = make.make_transcript("I want my money back")
    decision = make.make_decision(transcript=transcript)
    counted = [
        evidence(10, 20, term="money back", weight=1.25),
        evidence(2, 6, term="want", weight=-0.5),
    ]
    make.make_reason(decision, evidence=counted)

    shown = page(reviewer, transcript)

    (reason,) = shown.context["page"].reasons
    assert [(one.name, one.weight) for one in reason.terms] == [("money back", "+1.25")]
    assert [(one.name, one.weight) for one in reason.terms_against] == [("want", "-0.50")]
    assert 'cr-mark-against" title="The model counts this -0.50' in shown.content.decode()


def test_words_of_other_guesses_are_marked_only_where_no_reason_stands(reviewer):
    transcript = make.make_transcript("I want my money back")
    decision = make.make_decision(transcript=transcript)
    make.make_reason(
        decision, evidence=[evidence(2, 6, term="want")], rank=2, is_suggestion=True
    )

    alone = page(reviewer, transcript).content.decode()
    make.make_reason(
        decision, category=make.make_category(), evidence=[evidence(10, 20, rule="Money")]
    )
    beside = page(reviewer, transcript).content.decode()

    assert ">want</mark>" in alone
    assert ">want</mark>" not in beside
    assert ">money back</mark>" in beside


def test_scores_of_rule_and_model_are_shown_apart(reviewer):
    transcript = make.make_transcript("I want my money back")
    decision = make.make_decision(transcript=transcript, source="both")
    make.make_reason(decision, score=0.97, rule_score=0.9, model_score=0.61)

    reason = page(reviewer, transcript).context["page"].reasons[0]

    assert (reason.score, reason.rule_score, reason.model_score) == (97, 90, 61)


def test_a_script_in_a_conversation_is_shown_as_text(reviewer):
    transcript = make.make_transcript(
        "<script>alert(1)</script><img src=x onerror=alert(2)>",
        context={"<b>Origin</b>": "<i>Email</i>"},
    )
    decision = make.make_decision(transcript=transcript)
    make.make_reason(decision, evidence=[evidence(0, 8, term="<script>")])

    shown = page(reviewer, transcript).content.decode()

    assert "<script>alert(1)" not in shown
    assert "<img src=x" not in shown
    assert "<i>Email" not in shown
    assert "&lt;script&gt;" in shown


def test_characters_that_reorder_text_are_visible(reviewer):
    transcript = make.make_transcript("transfer \u202e0001\u202c euros")

    assert "transfer ⟨U+202E⟩0001⟨U+202C⟩ euros" in page(reviewer, transcript).content.decode()


def test_an_abstention_says_why_and_shows_the_best_guesses(reviewer):
    transcript = make.make_transcript("Hm.")
    decision = make.make_decision(
        transcript=transcript, category=None, doubt="rules_contradict"
    )
    guess = make.make_category("Refund")
    make.make_reason(decision, category=guess, is_suggestion=True, score=0.4)

    shown = page(reviewer, transcript)

    assert "Strong rules contradict each other" in shown.content.decode()
    assert [one.label for one in shown.context["page"].suggestions] == ["Refund"]


def test_a_decision_opens_its_conversation(reviewer):
    decision = make.make_decision()

    answer = reviewer.get(reverse("admin:classifier_decision_change", args=[decision.pk]))

    assert answer.url == (
        f"/admin/classifier/transcript/{decision.transcript_id}/change/?decision={decision.pk}"
    )


def test_an_earlier_decision_can_be_looked_at(reviewer):
    transcript = make.make_transcript()
    earlier = make.make_decision(transcript=transcript, superseded_at=make.NOON)
    later = make.make_decision(transcript=transcript)

    assert page(reviewer, transcript).context["page"].decision == later
    asked = page(reviewer, transcript, decision=earlier.pk)
    assert asked.context["page"].decision == earlier


def test_a_path_of_labels_is_shown_not_a_code(reviewer):
    leaf = make.make_category("Refund", make.make_category("Billing"))
    transcript = make.make_transcript()
    make.make_reason(make.make_decision(transcript=transcript, category=leaf))

    assert page(reviewer, transcript).context["page"].headline == "Billing > Refund"


def test_a_very_long_conversation_is_shown_in_part_first(reviewer):
    transcript = make.make_transcript(*[f"Turn {number}" for number in range(1000)])

    short, whole = page(reviewer, transcript), page(reviewer, transcript, whole="")

    assert short.context["page"].hidden_turns == 600
    assert whole.context["page"].hidden_turns == 0


def test_evidence_that_fits_no_words_breaks_nothing(reviewer):
    transcript = make.make_transcript("Short.")
    decision = make.make_decision(transcript=transcript)
    make.make_reason(
        decision,
        evidence=[evidence(90, 99, rule="r"), {**evidence(0, 3, rule="r"), "turn": 7}],
    )

    assert page(reviewer, transcript).status_code == 200


def test_nobody_without_the_right_sees_a_conversation(client):
    client.force_login(make.make_user("classifier.view_category"))

    assert page(client, make.make_transcript()).status_code == 403


def test_a_conversation_that_is_not_there_leads_back_to_the_start(reviewer):
    answer = reviewer.get(reverse("admin:classifier_transcript_change", args=[4711]))

    assert answer.url == reverse("admin:index")
