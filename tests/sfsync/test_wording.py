import pytest

from classifier.engine.intake import admitted
from classifier.engine.text import Transcript as Words
from classifier.engine.verdict import Doubt, Evidence, Ground, Reason, Verdict
from classifier.models import Decision, Transcript
from classifier.models.transcript import digest, to_rows
from sfsync.models import CategoryMapping
from sfsync.wording import evidence_text, quoted, version_text
from tests.classifier.making import (
    NOON,
    a_category,
    a_transcript,
    customer,
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


def test_the_words_stand_with_the_rule_or_what_the_model_counts_them(db):
    rule = WORDS.index("money back")
    term = WORDS.index("shoes")
    verdict = reason(
        Evidence("billing.refund", 0, term, term + 5, term="shoes", weight=1.2345),
        Evidence("billing.refund", 0, rule, rule + 10, rule="Refund asked", weight=0.96),
    )

    assert told(verdict, customer(WORDS)) == (
        "Billing > Refund (92%): “money back” (rule Refund asked), “shoes” (+1.23)."
    )


def test_what_speaks_against_a_reason_is_left_out(db):
    verdict = reason(Evidence("billing.refund", 0, 0, 5, term="hello", weight=-0.7))

    assert told(verdict, customer(WORDS)) == "Billing > Refund (92%)."


def test_further_reasons_follow(db):
    a_category("praise", "Praise")
    more = Reason("praise", 0.81, None, 0.81, Ground.MODEL, ())
    verdict = Verdict((*reason().reasons, more))

    assert told(verdict, customer(WORDS)) == (
        "Billing > Refund (92%): the conversation as a whole."
        " Also Praise (81%): the conversation as a whole."
    )


def test_the_same_words_are_quoted_once(db):
    both = [Evidence("billing.refund", 0, 20, 25, term="w", weight=0.5)] * 2

    assert told(reason(*both), customer(WORDS)).count("“") == 1


NUMBERS = ("4111 1111 1111 1111", "DE89370400440532013000", "ada@shop.example")
PASSWORD = "hunter2"


@pytest.mark.parametrize("padding", ["", "word ", "退款" * 40, "🙂" * 90, "\u202e\0"])
def test_it_fits_a_text_field_and_holds_nothing_that_was_hidden(db, padding):
    said = admitted(
        Words(
            tuple(
                customer(f"{padding}my password is {PASSWORD}, it is {number} refund {padding}")
                for number in NUMBERS
            )
        )
    )
    spans = [
        Evidence("billing.refund", number, start, end, rule="R" * 90, weight=0.9)
        for number, turn in enumerate(said.turns)
        for start in range(0, len(turn.text) - 1, 7)
        for end in (start + 1, len(turn.text))
    ]

    for evidence in (spans, spans[::-1], spans[1::2], spans[len(spans) // 2 :]):
        text = told(reason(*evidence), *said.turns)
        Decision.objects.all().delete()
        Transcript.objects.all().delete()
        assert len(text.encode("utf-16-le")) // 2 <= 255
        assert not any(hidden in text for hidden in (*NUMBERS, PASSWORD, "1111"))


def test_a_very_long_path_is_cut_with_a_mark(db):
    transcript = a_transcript("500000000000001AAA")
    top = a_category("c", "C" * 120)
    long = a_category("a", "A" * 120, parent=a_category("b", "B" * 120, parent=top))
    verdict = Verdict((Reason("a", 0.9, None, 0.9, Ground.MODEL, ()),))
    decision = Decision.objects.stand(transcript, verdict, at=NOON, rulebook_digest="")

    text = evidence_text(decision, CategoryMapping.book())

    assert long.code == "a"
    assert (len(text), text[-1]) == (255, "…")


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
    ("words", "shown"),
    [
        ("refund", "refund"),
        ("Refund\n\t please", "Refund please"),
        ("a\x00 refund\x07 now", "a refund now"),
        ("broken \ud800 ref\u202eund", "broken refund"),
        ("my [card•••••••••••] please", "my [card] please"),
        ("•••", ""),
        ("x" * 500, "x" * 59 + "…"),
    ],
)
def test_words_are_quoted_in_one_clean_line(words, shown):
    assert quoted(words) == shown
