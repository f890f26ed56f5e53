from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from classifier.engine.errors import RuleInvalid
from classifier.engine.folding import fold
from classifier.engine.grammar import Condition
from classifier.engine.rulelang import Expression, SimilarTo, parse, says
from classifier.engine.rulelang.likeness import pieces
from classifier.engine.rulelang.patterns import compiled, required_literals
from classifier.engine.rules import SPANS_KEPT, Rule, RuleBook
from classifier.engine.text import EARLIER_REASONS, Facet, Speaker, Transcript, Turn
from tests.classifier.engine.rulelang.making import expressions

SPEAKERS = {"c": Speaker.CUSTOMER, "r": Speaker.REPRESENTATIVE, "b": Speaker.BOT}


def conversation(*said: str, facets: Iterable[Facet] = ()) -> Transcript:
    """Return turns: ``"r: hello"`` is said by the representative, ``"s: …"`` is the subject."""
    turns = []
    for line in said:
        who, colon, text = line.partition(": ")
        if not colon or who not in {*SPEAKERS, "s"}:
            who, text = "c", line
        turns.append(Turn(SPEAKERS.get(who, Speaker.CUSTOMER), text, is_subject=who == "s"))
    return Transcript(tuple(turns), tuple(facets))


def book(text: str) -> RuleBook:
    return RuleBook([Rule("r", "category", parse(text))])


def found(text: str, *said: str) -> list[str] | None:
    """Return what a rule points at; None where it does not hold."""
    heard = conversation(*said)
    hits = book(text).match(heard)
    return [heard.turns[s.turn].text[s.start : s.end] for s in hits[0].spans] if hits else None


@pytest.mark.parametrize(
    ("text", "said", "places"),
    [
        # phrase, words, groups
        ('"fee"', ["Coffee for a fee, fees"], ["fee"]),
        ('"fee" inside words', ["Coffee"], ["fee"]),
        (
            'words("refund*", "money back")',
            ["Refunds! My money  back"],
            ["Refunds", "money  back"],
        ),
        ('"a, b"', ["x a, b x"], ["a, b"]),
        ('"a, b"', ["a b", "a,", "b"], None),
        ('"refund" and not "policy"', ["a refund"], ["refund"]),
        ('"refund" and not "policy"', ["a refund", "your policy"], None),
        (
            '"refund" and not ("policy" by representative)',
            ["refund policy", "r: no"],
            ["refund"],
        ),
        ('at_least(2, "card", "lost", "stolen")', ["my card", "is lost"], ["card", "lost"]),
        ('at_least(2, "card", "lost", "stolen")', ["my card"], None),
        # speakers and turns
        ('"hello" by representative', ["hello", "r: Hello"], ["Hello"]),
        ('"hello" by anybody', ["b: hello"], ["hello"]),
        ('"x" in first 1 turn', ["r: x", "a", "x"], None),
        ('"x" in first 2 turns', ["r: x", "a", "x", "x"], ["x"]),
        ('"x" in last 1 turn', ["x", "a", "r: x"], None),
        ('"x" by anybody in last 1 turn', ["x", "a", "r: x!"], ["x"]),
        ('"x" in subject', ["s: an x", "x"], ["x"]),
        ('"x" in subject', ["x"], None),
        ('"x" in body', ["s: an x", "y"], None),
        ('"x" in first 1 turn', ["s: an X", "x", "x"], ["X", "x"]),
        # scope
        ('all("lost", "card") in one sentence', ["I lost. My card!"], None),
        ('all("lost", "card") in one sentence', ["Hi. I lost my card."], ["lost", "card"]),
        ('all("lost", "card") in one turn', ["I lost. My card!"], ["lost", "card"]),
        ('all("lost", "card") in one turn', ["I lost.", "My card!"], None),
        ('all("丢", "卡") in one sentence', ["丢了。卡"], None),
        ('all("丢", "卡") in one sentence', ["我丢了卡。"], ["丢", "卡"]),
        (
            'all("card", none("lost")) in one sentence',
            ["The card. I lost the card. card"],
            ["card", "card"],
        ),
        # count
        ('"card" at least 2 times', ["card", "card"], ["card", "card"]),
        ('"card" at least 2 times in one turn', ["card", "card"], None),
        ('"card" at least 2 times in one turn', ["card", "card card"], ["card", "card"]),
        # before, after
        ('"a" before "b"', ["b a", "b"], ["a"]),
        ('"a" before "b"', ["b a"], None),
        ('"a" after "b"', ["a b", "a"], ["a"]),
        ('"a" after "b" in one sentence', ["b. a"], None),
        ('"a" after ("b" by bot)', ["b", "a"], None),
        ('"a" after ("b" by bot)', ["b: b", "a"], ["a"]),
        ('"a" before "a"', ["a a"], ["a"]),
        # not inside
        ('"credit" not inside "credit card"', ["my credit card"], None),
        ('"credit" not inside "credit card*"', ["credit cards and credit"], ["credit"]),
        ('"b" not inside "a b c d" not inside "b e"', ["a b c d, b e, a b"], ["b"]),
        # near
        ('near("card", "lost", 2)', ["card was really lost"], ["card was really lost"]),
        ('near("card", "lost", 1)', ["card was really lost"], None),
        ('near("card", "lost", 2)', ["lost my card"], ["lost my card"]),
        ('near("card", "lost", 2, ordered)', ["lost my card"], None),
        ('near("card", "lost", 9)', ["card", "lost"], None),
        ('near("card", "lost", 0) in one conversation', ["a card", "lost it"], ["lost"]),
        ('near("card", "lost", 9) in one sentence', ["card. lost"], None),
        ('near("卡", "丢", 2)', ["卡被人丢"], ["卡被人丢"]),
        ('near("卡", "丢", 1)', ["卡被人丢"], None),
        ('near("don\'t", "fee", 1)', ["I don't like fees, don't want fee"], ["don't want fee"]),
        # regex
        (r'regex("order \d{3,}")', ["Order 1234, order 12"], ["Order 1234"]),
        (r'regex("\bcaf(é|e)s?\b")', ["CAFÉS and cafe"], ["CAFÉS", "cafe"]),
        (r'regex("[a-z]{2}\d{4}")', ["see AB1234"], ["AB1234"]),
        (r'regex("(refund|money back) now")', ["money back NOW"], ["money back NOW"]),
        (r'regex("order \d+") by representative', ["order 1", "r: order 2"], ["order 2"]),
        (r'regex("x\b")', ["\ud800 x 😡"], ["x"]),
        # fuzzy
        ('fuzzy("refund")', ["a refnud", "refuns", "refunded"], ["refnud", "refuns"]),
        ('fuzzy("refund")', ["rfeudn"], None),
        (
            'fuzzy("cancellation", 2)',
            ["my cancelation, cancelaton"],
            ["cancelation", "cancelaton"],
        ),
        ('fuzzy("money back")', ["my moneyback", "mony back"], ["moneyback", "mony back"]),
        ('fuzzy("credit card", 2)', ["kredit kard please"], ["kredit kard"]),
        # number
        ('number(50..100, "€")', ["49 €, 50€, € 75.50, 100 euros"], ["50€", "€ 75.50"]),
        ('number(1000.., "usd")', ["1,200.50 USD"], ["1,200.50 USD"]),
        ('number(1000.., "usd")', ["1.200,50 usd"], ["1.200,50 usd"]),
        ('number(..5, "day", "days")', ["in 3 days", "6 days"], ["3 days"]),
        ("number(2..3)", ["covid2 at 2:30 on 2/3, 2.5"], ["2.5"]),
        ('number(5.., "天")', ["等了6天"], ["6天"]),
        # similar
        (
            'similar_to("I want my money back", 0.6)',
            ["Hello there. I really want my money back! Bye"],
            ["I really want my money back!"],
        ),
        ('similar_to("I want my money back", 0.6)', ["Where is my parcel?"], None),
        # scripts without blanks
        ('"退錢"', ["我想退錢，快啲"], ["退錢"]),
        ('"card"', ["用card付錢"], ["card"]),
        ('"返金"', ["返金してください"], ["返金"]),
        ('"😡"', ["no 😡"], ["😡"]),
        ('"c#"', ["C# c"], ["C#"]),
        ('"won"', ["I won't", "won"], ["won"]),
        ('"e-mail"', ["e mail", "E-Mail"], ["E-Mail"]),
    ],
)
def test_a_rule_holds_and_points_at_the_words_as_they_were_typed(text, said, places):
    assert found(text, *said) == places


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ('field("channel", "Chat")', True),
        ('field("CHANNEL", "ch*", "email")', True),
        ('field("channel", "email")', False),
        ('field("queue", "billing")', False),
        ('field("Product__c", "Café")', True),
        ('tag("billing.refund")', True),
        ('tag("billing.*")', True),
        ('tag("billing")', False),
        ('"hello" in language "de"', True),
        ('"hello" in language "de-AT"', True),
        ('"hello" in language "en"', False),
        ('field("channel", "chat") in language "en"', False),
        ('"hello" and field("channel", "chat") and not tag("complaint")', True),
    ],
)
def test_facts_about_a_conversation_are_asked_of_its_facets(text, holds):
    facets = [
        Facet("channel", ("chat",)),
        Facet("language", ("de-AT",)),
        Facet("product__c", ("CAFE",)),
        Facet(EARLIER_REASONS, ("account", "billing.refund")),
    ]

    assert bool(book(text).match(conversation("hello", facets=facets))) is holds


def test_without_facets_no_fact_is_known():
    for text in ('field("channel", "chat")', 'tag("a*")', '"hello" in language "de"'):
        assert not book(text).match(conversation("hello"))


def test_a_rule_of_facts_alone_points_at_no_words():
    heard = conversation("hello", facets=[Facet("channel", ("chat",))])

    (hit,) = book('field("channel", "chat")').match(heard)

    assert hit.spans == ()


def test_no_rule_reads_what_is_hidden():
    hidden = "[card••••••••••]"

    for text in ('"card"', 'regex("card")', 'fuzzy("card")', 'similar_to("card", 0.1)'):
        assert found(text, hidden) is None


def test_what_holds_for_silence_is_no_rule():
    with pytest.raises(RuleInvalid, match="silence"):
        Rule("r", "category", parse('none("a")'))


def test_a_regex_found_without_end_is_told_so_often_and_no_more():
    assert len(found('regex("x[^y]*z|x")', "x " * 20_000) or ()) == SPANS_KEPT


@pytest.mark.parametrize(
    "text",
    [
        '"a" before "b"',
        'near("a", "b", 50) in one conversation',
        'fuzzy("aaaaaaaa", 2)',
        '"a" not inside "a b a b c"',
        'all("a", "b") in one sentence',
        'number(1.., "b")',
        '"a" at least 50 times in one turn',
    ],
)
def test_a_long_monotonous_text_is_read_whole(text):
    said = "a a b b 1 aaaaaaab. " * 2_000

    assert book(text).match(conversation(said))


WORDS = [
    "refund",
    "money",
    "back",
    "credit",
    "credits",
    "order",
    "123456",
    "a,",
    "b",
    "退錢",
    "“x”.",
]
texts = st.lists(st.sampled_from([*WORDS, "refnud", "say", '"no"', "café"]), max_size=12).map(
    " ".join
)
conversations = st.lists(
    st.builds(Turn, st.sampled_from(Speaker), texts, is_subject=st.booleans()), max_size=4
).map(lambda turns: Transcript(tuple(turns)))


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(expressions(), conversations)
def test_what_triggers_a_rule_never_hides_that_it_holds(expression: Expression, heard):
    try:
        says(expression)
    except RuleInvalid:
        assume(False)
    rules = RuleBook([Rule("r", "c", expression)])
    by_triggers = bool(rules.match(heard))

    rules._matcher._always.append(0)  # now it is asked whatever was found

    assert bool(rules.match(heard)) is by_triggers


@given(expressions(), conversations)
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
def test_what_a_rule_points_at_lies_in_the_conversation(expression, heard):
    try:
        says(expression)
    except RuleInvalid:
        assume(False)

    for hit in RuleBook([Rule("r", "c", expression)]).match(heard):
        assert list(hit.spans) == sorted(set(hit.spans))
        for turn, start, end in hit.spans:
            assert heard.turns[turn].text[start:end].strip()


def edits(one: str, other: str) -> int:
    """Return the optimal string alignment of two texts, the plain way."""
    rows = [list(range(len(other) + 1))]
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            least = min(row[j - 1] + 1, rows[i - 1][j] + 1, rows[i - 1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and b == one[i - 2]:
                least = min(least, rows[i - 2][j - 2] + 1)
            row.append(least)
        rows.append(row)
    return rows[-1][-1]


@given(
    st.text("abc", min_size=8, max_size=14),
    st.integers(1, 2),
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 13), st.sampled_from("abcd")), max_size=2
    ),
)
def test_a_word_with_a_typo_or_two_is_found_whatever_they_are(word, distance, changes):
    typed = word
    for kind, place, char in changes[:distance]:
        at = place % len(typed)
        typed = {
            0: typed[:at] + char + typed[at:],
            1: typed[:at] + typed[at + 1 :],
            2: typed[:at] + char + typed[at + 1 :],
            3: typed[:at] + typed[at : at + 2][::-1] + typed[at + 2 :],
        }[kind]
    assume(edits(word, typed) <= distance)

    assert any(piece.text in typed for piece in pieces(word, distance))
    said = found(f'fuzzy("{word}", {distance})', f"x {typed} y")

    # Where "x aaaa" is as near to the word as "aaaa" is, either is right.
    assert said
    assert edits(word, said[0]) <= distance


@given(st.text("abc", min_size=8, max_size=12), st.text("abcd", min_size=5, max_size=14))
def test_a_word_with_more_typos_than_allowed_is_not_found(word, other):
    assume(edits(word, other) > 2)

    assert found(f'fuzzy("{word}", 2)', other) is None


PIECES = ["a", "bc", "d ", r"\d", ".", "[xyz]", "(ef|g)", "(h)?", "i*", "j+", "k{2}", "l{0,2}"]
PIECES += [
    r"\.",
    "(?:m|n)",
    "(?P<o>o)",
    r"\bp",
    "é",
    "(q|)",
    "(?i:r)",
    r"\x73",
    r"\pL",
    r"\Qt.u\E",
]


@given(
    st.lists(st.sampled_from([*PIECES, "|"]), min_size=1, max_size=6).map("".join), st.data()
)
def test_no_text_is_matched_without_one_of_the_literals_that_a_regex_requires(pattern, data):
    try:
        matcher = compiled(pattern)
    except RuleInvalid:
        assume(False)
    letters = "abcdefghijklmnopqrstuvwxyz 12."
    text = fold(
        data.draw(st.text(letters, max_size=30) | st.from_regex(pattern_of(pattern)))
    ).text
    literals = required_literals(pattern)

    if literals and matcher.search(text):
        assert any(literal in text for literal in literals)


def pattern_of(pattern: str) -> str:
    """Return what Python understands of RE2's syntax, to draw matching texts by."""
    for ours, theirs in [(r"\pL", "[a-z]"), (r"\Qt.u\E", r"t\.u"), ("(?P<o>o)", "(?:o)")]:
        pattern = pattern.replace(ours, theirs)
    return pattern


@pytest.mark.parametrize(
    ("pattern", "literals"),
    [
        (r"order \d{6}", {"order"}),
        ("(refund|money back) now", {"refund now", "money back now"}),
        ("(refund)?s", {"s"}),
        ("refunds?", {"refund"}),
        ("CAFÉ.*bar", {"cafe"}),
        (r"\d{6}", set()),
        ("a|.b", {"a", "b"}),
        (r"a|\d", set()),
        (r"x{2}yz", {"yz"}),
        (r"\Qa.b\E", {"a."}),
    ],
)
def test_the_literals_that_a_regex_requires(pattern, literals):
    assert required_literals(pattern) == literals


@pytest.mark.parametrize("example", ["*** my parcel ***", "where is my parcel " * 20])
def test_an_example_may_be_any_sentence(example):
    rules = RuleBook([Rule("r", "c", SimilarTo((example,), 0.5))])

    assert rules.match(conversation("where is my parcel"))


PLAIN = [
    ("card", None),
    ("lost card", Speaker.CUSTOMER),
    ("refund*", Speaker.REPRESENTATIVE),
    ("don't", None),
    ("c++", None),
    ("a", Speaker.BOT),
]
SPOKEN = ["card", "lost", "Refunds", "don't", "c++", "a", " ", "-", "\t", "\n", "é", "卡"]
TURNS = st.builds(
    Turn, st.sampled_from(Speaker), st.lists(st.sampled_from(SPOKEN), max_size=7).map(" ".join)
)


@given(st.lists(st.lists(TURNS, max_size=4).map(tuple), min_size=4, max_size=9))
def test_many_conversations_have_the_hits_that_each_has_alone(conversations):
    rules = [
        Rule(phrase, "c", Condition((phrase,), speaker=speaker)) for phrase, speaker in PLAIN
    ]
    several = RuleBook([*rules, Rule("both", "c", parse('"lost" before "card"'))])
    heard = [Transcript(turns) for turns in conversations]

    assert several.match_all(heard) == [several.match(each) for each in heard]
