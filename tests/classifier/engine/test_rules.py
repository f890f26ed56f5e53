from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.engine.errors import RuleInvalid
from classifier.engine.folding import fold, is_word_border
from classifier.engine.grammar import Condition
from classifier.engine.redaction import redact_all
from classifier.engine.rules import SPANS_KEPT, Effect, Rule, RuleBook, Span
from classifier.engine.text import Speaker, Transcript, Turn


def rule(name: str, **condition) -> Rule:
    return Rule(name, f"category.{name}", Condition(**condition))


def said(text: str, *phrases: str, whole_word: bool = True) -> list[str]:
    book = RuleBook([rule("r", any_of=phrases, whole_word=whole_word)])
    return [text[s.start : s.end] for hit in book.match(Transcript.of(text)) for s in hit.spans]


def names(book: RuleBook, *turns: Turn) -> list[str]:
    return [hit.rule.name for hit in book.match(Transcript(turns))]


def customer(text: str) -> Turn:
    return Turn(Speaker.CUSTOMER, text)


def representative(text: str) -> Turn:
    return Turn(Speaker.REPRESENTATIVE, text)


@pytest.mark.parametrize(
    ("text", "phrase", "places"),
    [
        ("I want a refund!", "refund", ["refund"]),
        ("(REFUND)", "refund", ["REFUND"]),
        ("refunds, refunded and a refund", "refund", ["refund"]),
        ("refunds, refunded and a refund", "refund*", ["refunds", "refunded", "refund"]),
        ("a prerefund", "refund*", []),
        ("coffee fee_2 fee2", "fee", []),
        ("my money\n  back, please", "money back", ["money\n  back"]),
        ("money-back guarantee", "money back", []),
        ("un café, un cafe\u0301, un CAFE", "café", ["café", "cafe\u0301", "CAFE"]),
        ("Résiliation immédiate", "resiliation", ["Résiliation"]),
        ("I don’t know, I don't", "don't know", ["don’t know"]),
        ("I won't pay", "won", []),
        ("I won’t pay", "won*", ["won’t"]),
        ("l’abonnement", "abonnement", ["abonnement"]),
        ("the customer's card", "customer", ["customer"]),
        ("an e-mail, an e‑mail", "e-mail", ["e-mail", "e‑mail"]),
        ("an e-mail", "mail", ["mail"]),
        ("我想退錢，快啲", "想退錢", ["想退錢"]),
        ("我想退錢，快啲", "退錢*", ["退錢"]),
        ("用card付錢", "card", ["card"]),
        ("환불을 원해요", "환불", ["환불"]),
        ("อยากขอเงินคืน", "เงินคืน", ["เงินคืน"]),
        ("ＲＥＦＵＮＤ please", "refund", ["ＲＥＦＵＮＤ"]),
        ("a \u200fref\u200fund\u200f now", "refund", ["ref\u200fund"]),
        ("أريد استرداد المال", "استرداد", ["استرداد"]),
        ("so 😡😡", "😡", ["😡", "😡"]),
        ("C++ or C#", "c#", ["C#"]),
        ("\ud800 fee \0", "fee", ["fee"]),
        ("Straße", "strasse", ["Straße"]),
        ("", "fee", []),
    ],
)
def test_a_phrase_is_found_as_a_word_of_its_own_and_shown_as_typed(text, phrase, places):
    assert said(text, phrase) == places


@pytest.mark.parametrize(("phrase", "places"), [("fee", ["fee"]), ("fee*", ["fee"])])
def test_without_whole_words_a_phrase_is_found_anywhere(phrase, places):
    assert said("coffee", phrase, whole_word=False) == places


def test_the_star_shows_no_more_than_a_long_word():
    assert len(said("re" + "x" * 1000, "re*")[0]) < 50


def test_any_all_and_none_must_agree():
    book = RuleBook(
        [rule("r", any_of=("refund", "money"), all_of=("card",), none_of=("policy",))]
    )

    assert names(book, customer("refund on my card")) == ["r"]
    assert names(book, customer("my card"), customer("money!")) == ["r"]
    assert names(book, customer("refund")) == []
    assert names(book, customer("card")) == []
    assert names(book, customer("refund on my card under your policy")) == []


def test_all_phrases_must_be_said_where_no_other_is_named():
    book = RuleBook([rule("r", all_of=("card", "lost"))])

    assert names(book, customer("I lost it"), customer("my card")) == ["r"]
    assert names(book, customer("I lost it")) == []


def test_evidence_are_the_phrases_that_must_be_said_in_reading_order():
    book = RuleBook([rule("r", any_of=("refund", "money"), all_of=("card",), none_of=("x",))])
    turns = (customer("My card. Refund!"), representative("refund"), customer("a REFUND"))

    (hit,) = book.match(Transcript(turns))

    assert hit.spans == (Span(0, 3, 7), Span(0, 9, 15), Span(2, 2, 8))


@pytest.mark.parametrize(
    ("speaker", "hits"),
    [(Speaker.CUSTOMER, 1), (Speaker.REPRESENTATIVE, 0), (Speaker.BOT, 0), (None, 1)],
)
def test_only_the_speaker_asked_for_is_heard(speaker, hits):
    book = RuleBook([rule("r", any_of=("refund",), speaker=speaker)])

    assert len(names(book, customer("refund"), representative("hello"))) == hits


def test_one_phrase_may_be_asked_of_several_speakers_and_in_several_ways():
    book = RuleBook(
        [
            rule("customer", any_of=("fee",)),
            rule("bot", any_of=("fee",), speaker=Speaker.BOT),
            rule("anybody", any_of=("fee*",), speaker=None),
            rule("anywhere", any_of=("fee",), whole_word=False),
        ]
    )

    assert names(book, customer("a fee")) == ["customer", "anybody", "anywhere"]
    assert names(book, customer("fees")) == ["anybody", "anywhere"]
    assert names(book, customer("coffee")) == ["anywhere"]
    assert names(book, Turn(Speaker.BOT, "a fee")) == ["bot", "anybody"]


def test_what_another_speaker_says_does_not_forbid():
    book = RuleBook([rule("r", any_of=("refund",), none_of=("policy",))])

    assert names(book, customer("refund"), representative("our policy")) == ["r"]


def test_a_phrase_does_not_run_over_the_end_of_a_turn():
    book = RuleBook([rule("r", any_of=("money back",))])

    assert names(book, customer("money"), customer("back")) == []


def test_overlapping_rules_all_hold_in_the_order_of_the_book():
    book = RuleBook(
        [
            rule("long", any_of=("money back guarantee",)),
            rule("short", any_of=("money back",)),
            rule("inner", any_of=("back",)),
            rule("same", any_of=("Money Back",)),
        ]
    )

    assert names(book, customer("money back guarantee")) == ["long", "short", "inner", "same"]


def test_a_veto_is_a_hit_like_any_other():
    veto = replace(rule("v", any_of=("refund",)), effect=Effect.VETO)

    (hit,) = RuleBook([veto]).match(Transcript.of("refund"))

    assert hit.rule.effect is Effect.VETO


@pytest.mark.parametrize("phrase", ["card", "account", "secret"])
def test_no_letter_of_a_placeholder_is_a_word(phrase):
    transcript = redact_all(
        Transcript.of("4111 1111 1111 1111, account 1234567890 and my password is hunter-2000")
    )

    hits = RuleBook([rule("r", any_of=(phrase,))]).match(transcript)

    assert [span.start for hit in hits for span in hit.spans] == [21] * (phrase == "account")


def test_an_empty_book_matches_nothing_and_has_a_digest():
    book = RuleBook()

    assert book.match(Transcript.of("refund")) == ()
    assert len(book.digest) == 64


def test_transcripts_are_answered_in_the_order_given():
    book = RuleBook([rule("r", any_of=("fee",))])

    answers = book.match_all(map(Transcript.of, ["a fee", "nothing", "fee fee"]))

    assert [[len(hit.spans) for hit in hits] for hits in answers] == [[1], [], [2]]


def test_of_a_phrase_said_a_thousand_times_some_places_are_kept():
    assert len(said("fee " * 1000, "fee")) == SPANS_KEPT


def test_five_thousand_turns_are_read():
    book = RuleBook([rule("r", all_of=("first", "last"))])
    turns = [customer("first"), *[customer("…")] * 5000, customer("last")]

    (hit,) = book.match(Transcript(tuple(turns)))

    assert [span.turn for span in hit.spans] == [0, 5001]


def test_threads_may_share_a_book():
    book = RuleBook([rule(f"r{n}", any_of=(f"word{n}",)) for n in range(100)])
    transcripts = [Transcript.of(f"word{n} word{n + 1}") for n in range(99)] * 5

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(book.match, transcripts))

    assert answers == book.match_all(transcripts)


@pytest.mark.parametrize(
    "wrong", [{"name": " "}, {"category": ""}, {"strength": 1.1}, {"strength": float("nan")}]
)
def test_a_rule_needs_a_name_a_category_and_a_share(wrong):
    with pytest.raises(RuleInvalid):
        replace(rule("r", any_of=("fee",)), **wrong)


def test_the_digest_does_not_depend_on_any_order_or_on_how_a_phrase_is_typed():
    rules = [
        rule("a", any_of=("x", "y")),
        rule("b", all_of=("z",)),
        rule("c", any_of=("Café*",)),
    ]
    same = [rule("c", any_of=("cafe *",)), rule("a", any_of=("Y", "x")), rules[1]]

    digests = {RuleBook(order).digest for order in permutations(rules)} | {
        RuleBook(same).digest
    }

    assert len(digests) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"name": "s"},
        {"category": "other"},
        {"effect": Effect.BOOST},
        {"strength": 0.5},
        {"condition": Condition(("fee*",))},
        {"condition": Condition(all_of=("fee", "no"))},
        {"condition": Condition(("fee",), none_of=("no",))},
        {"condition": Condition(("fee",), speaker=None)},
        {"condition": Condition(("fee",), whole_word=False)},
    ],
)
def test_the_digest_changes_with_whatever_a_rule_says(change):
    before = rule("r", any_of=("fee",))

    assert RuleBook([replace(before, **change)]).digest != RuleBook([before]).digest


words = st.sampled_from(
    ["fee", "fees", "card", "退", "退錢", "é", "l'", "can't", "can", "-", ",", " "]
)
phrases = (
    st.lists(words, min_size=1, max_size=3).map("".join).filter(lambda typed: fold(typed).text)
)


@given(st.lists(words, max_size=12).map("".join), st.lists(phrases, min_size=1, max_size=4))
def test_the_automaton_finds_what_a_plain_search_finds(text, looked_for):
    folded = fold(text).text
    expected = {
        phrase
        for phrase in looked_for
        for start in range(len(folded))
        if folded.startswith(word := fold(phrase).text, start)
        and is_word_border(folded, start)
        and is_word_border(folded, start + len(word))
    }

    book = RuleBook([rule(phrase, any_of=(phrase,)) for phrase in set(looked_for)])

    assert set(names(book, customer(text))) == expected
