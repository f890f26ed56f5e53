import pytest

from classifier.engine.verdict import Doubt, Evidence, Ground, Reason, Verdict
from classifier.models import Decision
from classifier.models.transcript import digest, to_rows
from sfsync.models import CategoryMapping
from sfsync.wording import evidence_text, quoted, version_text
from tests.classifier.making import (
    NOON,
    a_category,
    a_transcript,
    customer,
    representative,
    unsure,
)

WORDS = "Hello there. I want my money back for the blue shoes! Thank you."


def told(verdict: Verdict, *turns) -> str:
    a_category("billing.refund", "Refund", parent=a_category("billing", "Billing"))
    said = {"turns": to_rows(turns), "digest": digest(turns), "customer_digest": digest(turns)}
    transcript = a_transcript("500000000000001AAA", **said)
    decision = Decision.objects.stand(
        transcript, verdict, at=NOON, rulebook_digest="abcdef0123"
    )
    return evidence_text(decision, CategoryMapping.book())


def reason(*evidence: Evidence, score: float = 0.92) -> Verdict:
    return Verdict((Reason("billing.refund", score, None, score, Ground.BOTH, evidence),))


def test_the_customers_sentence_and_the_rule_are_quoted(db):
    start = WORDS.index("money back")
    verdict = reason(Evidence("billing.refund", 0, start, start + 10, rule="Refund asked"))

    assert told(verdict, customer(WORDS)) == (
        "Billing > Refund (92%): the customer wrote"
        " “I want my money back for the blue shoes” (rule “Refund asked”)."
    )


def test_who_spoke_is_said(db):
    turn = representative("We sent your money back.")

    text = told(reason(Evidence("billing.refund", 0, 13, 23, term="money back")), turn)

    assert "the representative wrote “We sent your money back”" in text


def test_the_same_sentence_is_quoted_once(db):
    both = [Evidence("billing.refund", 0, at, at + 5, term="w") for at in (20, 25)]

    assert told(reason(*both), customer(WORDS)).count("“") == 1


def test_a_reason_without_words_of_its_own_says_so(db):
    assert told(reason(), customer(WORDS)).endswith("the conversation as a whole.")


def test_an_abstention_says_why_a_person_should_look(db):
    verdict = unsure(doubt=Doubt.RULES_CONTRADICT)

    assert told(verdict, customer(WORDS)) == (
        "A person should look: strong rules contradict each other."
    )


def test_a_reviewers_word_is_called_that(db):
    told(reason(), customer(WORDS))
    category = a_category("billing")
    decision = Decision.objects.stand_by_person("500000000000001AAA", [category], at=NOON)

    assert evidence_text(decision, CategoryMapping.book()) == "Billing: a reviewer decided."
    assert version_text(decision) == ""


def test_the_rules_are_named_by_the_beginning_of_their_digest(db):
    told(reason(), customer(WORDS))

    assert version_text(Decision.objects.get()) == "rules abcdef01"


@pytest.mark.parametrize(
    ("text", "span", "shown"),
    [
        ("refund", "refund", "refund"),
        ("Hi!\nRefund please\nBye", "Refund", "Refund please"),
        ("Really? No refund came. Why?", "refund", "No refund came"),
        ("a\x00 refund\x07 now", "refund", "a refund now"),
        ("broken \ud800 refund", "refund", "broken refund"),
    ],
)
def test_the_sentence_around_a_span_is_quoted_clean(text, span, shown):
    start = text.index(span)

    assert quoted(text, start, start + len(span)) == shown


def test_a_long_sentence_is_cut_at_words_around_the_span():
    text = "word " * 100 + "refund" + " more" * 100
    start = text.index("refund")

    shown = quoted(text, start, start + 6)

    assert "refund" in shown
    assert len(shown) <= 160
    assert {"word", "refund", "more"} == set(shown.split())


def test_a_span_longer_than_a_quote_is_cut_with_a_mark():
    shown = quoted("x" * 500, 0, 500)

    assert (len(shown), shown[-1]) == (160, "…")
