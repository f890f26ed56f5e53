import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from classifier.engine.errors import RuleInvalid
from classifier.engine.rulelang import (
    Fuzzy,
    Near,
    Number,
    Part,
    Phrase,
    RuleUnreadable,
    Scope,
    Where,
    Words,
    all_of,
    any_of,
    at_least,
    costs,
    echo,
    from_json,
    none_of,
    parse,
    says,
    to_json,
    to_text,
)
from classifier.engine.text import Speaker
from tests.classifier.engine.rulelang.making import expressions

LARGE = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


@LARGE
@given(expressions())
def test_what_is_written_as_text_is_read_back_the_same(expression):
    assert parse(to_text(expression)) == expression


@LARGE
@given(expressions())
def test_what_is_stored_as_json_is_read_back_the_same(expression):
    assert from_json(json.loads(json.dumps(to_json(expression)))) == expression


@LARGE
@given(expressions())
def test_every_expression_is_told_in_words(expression):
    assert echo(expression)


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ('"refund"', Phrase("refund")),
        ("“refund”", Phrase("refund")),
        ('"a, b"', Phrase("a, b")),
        (r'"say \"no\""', Phrase('say "no"')),
        ('"a" and "b" or "c"', any_of(all_of(Phrase("a"), Phrase("b")), Phrase("c"))),
        (
            '"a" AND NOT ("b" OR "c")',
            all_of(Phrase("a"), none_of(any_of(Phrase("b"), Phrase("c")))),
        ),
        ('ANY("a",\n    "b",\n)', any_of(Phrase("a"), Phrase("b"))),
        ('("a") by bot', Phrase("a", Where(speaker=Speaker.BOT))),
        ('"a" by customer', Phrase("a")),
        (
            'all("a", "b") in one sentence',
            all_of(Phrase("a"), Phrase("b"), scope=Scope.SENTENCE),
        ),
        (
            '("a" and "b") in one turn',
            all_of(Phrase("a"), Phrase("b"), scope=Scope.TURN),
        ),
        (
            'at_least(2, "a", "b", "c")',
            at_least(2, Phrase("a"), Phrase("b"), Phrase("c")),
        ),
        (
            'near("card", words("lost", "stolen"), 5, ordered)',
            Near(("card",), ("lost", "stolen"), 5, ordered=True),
        ),
        ('fuzzy("cancellation")', Fuzzy("cancellation", 1)),
        ('number(50..99.5, "€")', Number(50, 99.5, ("€",))),
        ('number(..5, "days")', Number(None, 5, ("days",))),
        (
            '"a" before "b" by bot',
            Phrase("a", Where(speaker=Speaker.BOT, before=Phrase("b"))),
        ),
        (
            '"a" before ("b" by bot) at least 2 times in last 1 turn in subject',
            Phrase(
                "a",
                Where(
                    before=Phrase("b", Where(speaker=Speaker.BOT)),
                    count=2,
                    last=1,
                    part=Part.SUBJECT,
                ),
            ),
        ),
        (
            '"credit" not inside "credit card" not inside "credit union"',
            Phrase("credit", Where(not_inside=("credit card", "credit union"))),
        ),
        ('words("fee", "fees") inside words', Words(("fee", "fees"), Where(whole_word=False))),
    ],
)
def test_what_people_type_is_understood(text, expression):
    assert parse(text) == expression


@pytest.mark.parametrize(
    ("text", "position", "expected"),
    [
        ("refund", 0, "a phrase in quotes"),
        ("", 0, "a phrase in quotes"),
        ('all("a"', 7, ") or a comma"),
        ('"a" "b"', 4, "and, or, or the end"),
        ('any("a",\n  "b', 11, '" at the end of the text'),
        ('"a" by nobody', 7, "customer or representative or bot or anybody"),
        ('"a" in first turns', 13, "how many turns"),
        ('"a" by bot by customer', 11, "nothing that was said otherwise"),
        ("number(5)", 8, "two dots"),
        ('near("a", "b", 99)', 0, "0 to 50 words"),
        ('"b" and fuzzy("abc")', 8, "4 to 60 characters"),
        ('regex("(a")', 0, "RE2 does not take the regex"),
        ('regex("a*")', 0, "found in nothing at all"),
        ('field("channel", "chat") by bot', 0, "no speaker and no place"),
        ('"a*b"', 0, "star"),
        ('"a" $', 4, "the end of the rule"),
        ("(" * 60, 13, "at most 12 brackets"),
        ('"a" at least ' + "9" * 5000 + " times", 13, "a smaller number"),
    ],
)
def test_a_mistake_is_told_with_its_place_what_was_expected_and_an_example(
    text, position, expected
):
    with pytest.raises(RuleUnreadable) as refusal:
        parse(text)

    assert refusal.value.position == position
    assert expected in str(refusal.value)
    assert f", as in {refusal.value.example}" in str(refusal.value)
    if "nothing that was said" not in expected:
        parse(refusal.value.example)


def test_a_mistake_on_a_later_line_is_told_with_its_line():
    with pytest.raises(RuleUnreadable, match=r"^line 2, character 5: "):
        parse('"a" and\n    b')


@pytest.mark.parametrize(
    ("stored", "mistake"),
    [
        (None, r"\$: expected an object"),
        ({}, r"\$: “version” is missing"),
        ({"version": 2, "expression": {}}, r"\$\.version: this program reads version 1"),
        ({"version": True, "expression": {}}, r"\$\.version: expected a whole number"),
        ({"version": 1}, r"\$: “expression” is missing"),
        ({"version": 1, "expression": {"phrase": "a"}, "x": 1}, r"\$: “x” is unknown here"),
        ({"version": 1, "expression": {}}, r"\$\.expression: says nothing"),
        (
            {"version": 1, "expression": {"all": [{"phrase": "a"}, {"phrase": 7}]}},
            r"\$\.expression\.all\[1\]\.phrase: expected a text",
        ),
        (
            {"version": 1, "expression": {"all": [{"phrase": "a", "buy": 1}]}},
            r"\$\.expression\.all\[0\]: “buy” is unknown here; known: .*phrase",
        ),
        (
            {"version": 1, "expression": {"phrase": "a", "by": "nobody"}},
            r"\$\.expression\.by: “nobody” is none of customer",
        ),
        (
            {"version": 1, "expression": {"phrase": "a", "first_turns": 0}},
            r"\$\.expression: count 1 to 1,000 turns",
        ),
        (
            {"version": 1, "expression": {"phrase": "a", "before": {"any": [{"phrase": "b"}]}}},
            r"\$\.expression\.before: one thing stands before another",
        ),
        ({"version": 1, "expression": {"any": []}}, r"\$\.expression: any needs something"),
        (
            {"version": 1, "expression": {"words": ["a", "***"]}},
            r"\$\.expression: “\*\*\*”: a star",
        ),
        (
            {"version": 1, "expression": {"number": {"from": 1, "upto": 2}}},
            r"\$\.expression\.number: “upto” is unknown",
        ),
        (
            {"version": 1, "expression": {"near": [["a"]], "within": 1}},
            r"\$\.expression\.near: expected two lists",
        ),
    ],
)
def test_a_stored_form_with_a_mistake_is_refused_with_its_path(stored, mistake):
    with pytest.raises(RuleInvalid, match=mistake):
        from_json(stored)


def test_a_stored_form_nested_without_end_is_refused():
    deep: dict[str, object] = {"phrase": "a"}
    for _ in range(100):
        deep = {"any": [deep]}

    with pytest.raises(RuleInvalid, match="brackets stand at most"):
        from_json({"version": 1, "expression": deep})


@pytest.mark.parametrize(
    "text",
    [
        'none("a")',
        'any("a", none("b"))',
        'none(all("a", none("b")))',
        'at_least(1, "a", none("b"))',
    ],
)
def test_what_would_hold_for_silence_is_no_rule(text):
    with pytest.raises(RuleInvalid, match="silence"):
        says(parse(text))


@pytest.mark.parametrize(
    "text", ['all("a", none("b"))', 'none(none("a"))', 'at_least(2, "a", none("b"))']
)
def test_what_needs_something_to_be_said_is_a_rule(text):
    assert says(parse(text)) == parse(text)


def test_a_rule_has_at_most_five_hundred_phrases():
    says(Words(tuple(f"phrase {number}" for number in range(500))))

    with pytest.raises(RuleInvalid, match="501 phrases"):
        says(Words(tuple(f"phrase {number}" for number in range(501))))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('"refund"', "the customer says “refund”"),
        (
            'words("refund*", "money  back") by anybody in first 1 turns',
            "anybody says “refund…” with any ending or “money back” in the conversation’s first "
            "1 turn",
        ),
        (
            'all("refund", none("policy" by representative)) in one turn',
            "the customer says “refund” and it does not hold that the representative says "
            "“policy” within one turn",
        ),
        (
            '"a" and ("b" or "c")',
            "the customer says “a” and (the customer says “b” or the customer says “c”)",
        ),
        (
            'near("card", "lost", 5, ordered)',
            "the customer says “card” before “lost”, 5 words or fewer between them",
        ),
        ('near("card", "lost", 0)', "the customer says “card” right beside “lost”"),
        (
            'number(50.., "€") at least 2 times',
            "the customer says a number from 50 up with “€” beside it at least 2 times",
        ),
        (
            'fuzzy("cancellation", 2) in subject',
            "the customer says “cancellation” or the like (2 typos) in the subject",
        ),
        (
            'field("channel", "chat") and tag("billing.*")',
            "“channel” is “chat” and an earlier reason of this Case is “billing.…” with any "
            "ending",
        ),
        (
            '"credit" not inside "credit card" before ("score" by bot) in language "en"',
            "the customer says “credit” but not as part of “credit card” before the bot says "
            "“score” in a conversation of language en",
        ),
        (
            'at_least(2, "a", "b") in one sentence',
            "at least 2 of these hold: the customer says “a”; the customer says “b” within one "
            "sentence",
        ),
        (
            'similar_to("I want my money back", 0.7)',
            "the customer says something like “I want my money back” (similarity 0.7 or more)",
        ),
    ],
)
def test_a_rule_is_told_back_in_plain_english(text, told):
    assert echo(parse(text)) == told


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (r'regex("\\b[a-z]{2}\\d{6}")', "no fixed words"),
        ("number(5..)", "without a unit"),
        ('similar_to("hello there")', "Similarity"),
    ],
)
def test_what_reads_every_conversation_once_more_is_told(text, what):
    assert what in costs(parse(text))[0]


def test_phrases_and_patterns_with_fixed_words_cost_nothing_to_speak_of():
    text = 'all("a", regex("order \\d+"), number(5.., "days"), fuzzy("refund"))'

    assert costs(parse(text)) == ()


def documented() -> list[str]:
    """Return what the first columns of docs/rules.md tell to write, where it is a whole rule."""
    text = (Path(__file__).parents[4] / "docs" / "rules.md").read_text(encoding="utf-8")
    rows = text.split("## What may be looked for")[1].split("## Where it must stand")[0]
    modifiers = text.split("## Where it must stand")[1].split("## What a rule does")[0]
    leaves = [row.split("`")[1] for row in rows.splitlines() if row.startswith("| `")]
    follow = [row.split("|")[1] for row in modifiers.splitlines() if row.startswith("| `")]
    return leaves + [f'"a" {each}' for cell in follow for each in cell.split("`")[1::2]]


@pytest.mark.parametrize("text", documented())
def test_what_the_documentation_tells_to_write_is_understood(text):
    assert parse(to_text(parse(text))) == parse(text)
