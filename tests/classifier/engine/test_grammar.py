import pytest

from classifier.engine.errors import RuleInvalid
from classifier.engine.grammar import (
    ANYBODY,
    CONDITION_PHRASES,
    PHRASE_CHARACTERS,
    Condition,
    Effect,
    Phrase,
    explain,
)
from classifier.engine.text import Speaker


def typed(any_of: str = "", all_of: str = "", none_of: str = "", speaker: str = "customer"):
    return Condition.from_lines(any_of, all_of, none_of, speaker, whole_word=True)


def test_each_line_is_a_phrase_and_blank_lines_and_repeats_are_dropped():
    condition = typed("refund*\n\n  money   back \r\nREFUND *", "card", "policy")

    assert condition == Condition(("refund*", "money back"), ("card",), ("policy",))


@pytest.mark.parametrize(("word", "speaker"), [("bot", Speaker.BOT), (ANYBODY, None)])
def test_the_speaker_is_one_of_three_or_anybody(word, speaker):
    assert typed("refund", speaker=word).speaker is speaker


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        (("", "", ""), "at least one phrase that must be said"),
        (("\n \n", "", "policy"), "“none of” alone would hold for silence"),
        (
            ("refund\n*", "", ""),
            "line 2 of “any of”: the phrase has no letters, digits or signs",
        ),
        (("fee", "\n\u200b", ""), "line 2 of “all of”: the phrase has no letters"),
        (("fee", "", "re*fund"), "line 1 of “none of”: a star may only stand at the end"),
        (("fee**", "", ""), "a star may only stand at the end"),
        (("x" * (PHRASE_CHARACTERS + 1), "", ""), "201 characters; write at most 200"),
        (("[card••]", "", ""), "stands for hidden words; leave it out"),
        (
            ("\n".join(map(str, range(CONDITION_PHRASES + 1))), "", ""),
            "at most 500 fit, so split it",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place_and_what_to_do(boxes, message):
    with pytest.raises(RuleInvalid) as refusal:
        typed(*boxes)

    assert message in str(refusal.value)


def test_an_unknown_speaker_is_refused_with_the_choices():
    with pytest.raises(RuleInvalid, match="customer, representative, bot or anybody"):
        typed("fee", speaker="agent")


@pytest.mark.parametrize("phrases", [("",), ("fee", "a*b")])
def test_a_condition_made_in_code_is_held_to_the_same_rules(phrases):
    with pytest.raises(RuleInvalid):
        Condition(any_of=phrases)


def test_the_longest_phrase_and_the_most_phrases_are_taken():
    condition = typed(
        "\n".join([*map(str, range(CONDITION_PHRASES - 1)), "x" * PHRASE_CHARACTERS])
    )

    assert len(condition.any_of) == CONDITION_PHRASES


@pytest.mark.parametrize(
    ("line", "phrase"),
    [
        ("Résiliation*", Phrase("resiliation", any_ending=True)),
        ("refund *", Phrase("refund", any_ending=True)),
        ("  Money\tBack ", Phrase("money back")),
        ("想退錢", Phrase("想退钱")),
        ("😡", Phrase("😡")),
        ("C++", Phrase("c++")),
    ],
)
def test_a_phrase_is_folded_and_its_star_understood(line, phrase):
    assert Phrase.parsed(line) == phrase


@pytest.mark.parametrize(
    ("condition", "effect", "sentence"),
    [
        (
            Condition(("refund", "money back"), ("card",), ("policy",)),
            Effect.ASSIGN,
            "When the customer says “refund” or “money back”, and says “card”, and does not say "
            "“policy”: assign Billing › Refund.",
        ),
        (
            Condition(all_of=("a", "b", "c"), speaker=None),
            Effect.BOOST,
            "When anybody says “a”, “b” and “c”: count it in favour of Billing › Refund.",
        ),
        (
            Condition(("refund*",), none_of=("x", "y"), speaker=Speaker.BOT, whole_word=False),
            Effect.VETO,
            "When the bot says “refund…” with any ending, and does not say “x” or “y” (also inside "
            "longer words): never assign Billing › Refund.",
        ),
        (
            Condition(tuple(map(str, range(12)))),
            Effect.ASSIGN,
            "When the customer says “0”, “1”, “2”, “3”, “4”, “5”, “6”, “7”, “8”, “9” or 2 other "
            "phrases: assign Billing › Refund.",
        ),
        (
            Condition(tuple(map(str, range(11))), speaker=Speaker.REPRESENTATIVE),
            Effect.ASSIGN,
            "When the representative says “0”, “1”, “2”, “3”, “4”, “5”, “6”, “7”, “8”, “9” or "
            "1 other phrase: assign Billing › Refund.",
        ),
    ],
)
def test_a_rule_is_told_in_one_plain_sentence(condition, effect, sentence):
    assert explain(condition, effect, "Billing › Refund") == sentence
