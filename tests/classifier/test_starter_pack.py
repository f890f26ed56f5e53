import re
from collections import Counter
from itertools import pairwise

import pytest

from classifier import starter_pack
from classifier.engine.cascade import classify
from classifier.engine.datasets import Record
from classifier.engine.example import Example
from classifier.engine.folding import fold
from classifier.engine.grammar import Effect
from classifier.engine.learning import learn
from classifier.engine.policy import Policy
from classifier.engine.recipe import Recipe
from classifier.engine.redaction import redact_all
from classifier.engine.rules import RuleBook
from classifier.engine.taxonomy import Taxonomy
from classifier.engine.text import Speaker, Transcript, Turn
from classifier.engine.verdict import Verdict
from classifier.starter_pack import StarterPack, StarterRule
from sfsync.local_org.records import Record as ServedRecord
from sfsync.local_org.records import read_records

PACK = starter_pack.load()
RULES = [pytest.param(rule, id=rule.name) for rule in PACK.rules]
CHANNELS = frozenset(
    {
        "attachment", "call_log", "case_field", "chat", "comments", "custom_object",
        "email", "messaging", "social", "voice", "web",
    }
)  # fmt: skip
ADDRESS = re.compile(r"\w@\w")
MOST_SHARED = 0.5
ALIKE_IN_LENGTH = 2 / 3
WORDS_OF_A_TEXT = 6
WORDS_OF_A_LONG_CALL = 2_000


@pytest.fixture(scope="module")
def pack() -> StarterPack:
    return PACK


def leaves(pack: StarterPack) -> set[tuple[str, ...]]:
    return {category.path for category in pack.categories if len(category.path) == 2}


def is_held(rule: StarterRule, sentence: str) -> bool:
    book = RuleBook([rule.to_rule(PACK.taxonomy())])
    speaker = rule.condition.speaker or Speaker.CUSTOMER
    return bool(book.match(Transcript((Turn(speaker, sentence),))))


def customer_words(record: Record) -> str:
    return fold(
        " ".join(turn.text for turn in record.transcript.said_by(Speaker.CUSTOMER))
    ).text


def units(record: Record) -> frozenset[str]:
    """Words, or for Chinese, which writes no blanks, pairs of neighbouring characters."""
    said = customer_words(record)
    if not record.language.startswith("zh"):
        return frozenset("".join(c if c.isalnum() else " " for c in said).split())
    letters = "".join(c for c in said if c.isalnum())
    return frozenset(map("".join, pairwise(letters)))


def are_twins(one: frozenset[str], other: frozenset[str]) -> bool:
    """Tell whether more than half of all words of the two are in both, or, where neither is much
    longer (a long call has most words of any short line in it), more than half of the shorter.
    """
    few, many = sorted((len(one), len(other)))
    shared = len(one & other)
    whole = few if few >= ALIKE_IN_LENGTH * many else few + many - shared
    return shared > MOST_SHARED * whole


def served(split: str) -> list[ServedRecord]:
    """The conversations as the local org reads them."""
    return list(read_records(starter_pack.conversations_path(), split))


def words_said(record: Record) -> int:
    return sum(len(turn.text.split()) for turn in record.transcript.turns)


def test_the_tree_has_two_levels_and_every_leaf_stands_below_a_parent(pack):
    parents = {category.path for category in pack.categories if len(category.path) == 1}

    assert len(parents) == 6
    assert len(leaves(pack)) == 27
    assert {leaf[:1] for leaf in leaves(pack)} == parents
    assert len(pack.categories) == len(parents) + len(leaves(pack))


def test_every_category_tells_people_in_one_sentence_what_belongs_there(pack):
    for category in pack.categories:
        assert category.guideline[0].isupper()
        assert category.guideline.endswith(".")
        assert category.guideline.count(". ") == 0
        assert len(category.guideline) <= 200


def test_every_leaf_has_a_rule_that_assigns_it(pack):
    assigned = {rule.category for rule in pack.rules if rule.effect is Effect.ASSIGN}

    assert len(pack.rules) >= 90
    assert assigned == leaves(pack)


def test_rules_have_names_of_their_own_and_show_what_they_are_for(pack):
    assert len({rule.name for rule in pack.rules}) == len(pack.rules)
    assert all(rule.must and rule.must_not for rule in pack.rules)


def test_only_assigning_rules_decide_alone_from_the_first_day(pack):
    for rule in pack.rules:
        assert rule.is_certain is (rule.effect is Effect.ASSIGN), rule.name


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_holds_for_its_examples_and_not_for_its_counterexamples(rule):
    assert [s for s in rule.must if not is_held(rule, s)] == []
    assert [s for s in rule.must_not if is_held(rule, s)] == []


def test_no_phrase_stands_twice_in_one_list(pack):
    for rule in pack.rules:
        for phrases in (rule.condition.any_of, rule.condition.all_of, rule.condition.none_of):
            twice = [p for p, n in Counter(fold(p).text for p in phrases).items() if n > 1]
            assert twice == [], rule.name


def test_every_conversation_has_an_identity_and_only_labels_of_the_tree(pack):
    keys = [record.key for record in pack.conversations]

    assert len(set(keys)) == len(keys)
    assert {label for record in pack.conversations for label in record.labels} <= leaves(pack)
    assert all(len(record.labels) <= 2 for record in pack.conversations)


@pytest.mark.parametrize("split", ["train", "test"])
def test_every_channel_of_the_local_org_has_conversations_in_both_splits(split):
    channels = Counter(record.channel for record in served(split))

    assert set(channels) == CHANNELS
    assert min(channels.values()) >= 12


def test_no_two_conversations_say_the_same(pack):
    texts = [(record.key, units(record)) for record in pack.conversations]
    long = [(key, text) for key, text in texts if len(text) >= WORDS_OF_A_TEXT]

    twins = [
        (one, other)
        for place, (one, text) in enumerate(long)
        for other, another in long[:place]
        if are_twins(text, another)
    ]

    assert twins == []


def test_card_numbers_and_addresses_in_the_pack_are_redacted(pack):
    said = [record.transcript for record in pack.conversations]

    hidden = [redact_all(transcript) for transcript in said]

    assert sum(one != other for one, other in zip(said, hidden, strict=True)) >= 15
    kept = "\n".join(turn.text for transcript in hidden for turn in transcript.turns)
    assert "4111" not in kept
    assert ADDRESS.findall(kept) == []


def share(records: list[Record], labels: range) -> float:
    return sum(len(record.labels) in labels for record in records) / len(records)


def of_split(pack: StarterPack, split: str) -> list[Record]:
    return [record for record in pack.conversations if record.split == split]


@pytest.mark.parametrize(
    ("split", "least", "of_each_leaf"), [("train", 800, 25), ("test", 250, 8)]
)
def test_every_leaf_has_conversations_to_learn_from_and_to_show(
    pack, split, least, of_each_leaf
):
    records = of_split(pack, split)

    counts = Counter(label for record in records for label in record.labels)

    assert len(records) >= least
    assert {leaf: counts[leaf] for leaf in leaves(pack) if counts[leaf] < of_each_leaf} == {}


@pytest.mark.parametrize(
    ("language", "least", "leaves_met"),
    [("en", 500, 27), ("es", 65, 20), ("zh-Hant", 65, 20), ("zh-Hans", 65, 20)],
)
def test_each_language_speaks_of_most_reasons_in_both_splits(pack, language, least, leaves_met):
    records = [record for record in pack.conversations if record.language == language]

    met = {label for record in records for label in record.labels}

    assert len(records) >= least
    assert len(met) >= leaves_met
    assert Counter(record.split for record in records)["test"] >= 0.2 * len(records)


def test_some_conversations_have_several_reasons_and_some_none(pack):
    records = list(pack.conversations)

    assert 0.09 <= share(records, range(2, 3)) <= 0.15
    assert 0.06 <= share(records, range(1)) <= 0.10


def test_conversations_are_as_short_and_as_long_as_people_write(pack):
    english = [record for record in pack.conversations if record.language == "en"]

    lengths = sorted(len(customer_words(record).split()) for record in english)

    assert lengths[0] <= WORDS_OF_A_TEXT
    assert lengths[-1] >= 200
    assert lengths[len(lengths) // 2] <= 60


def test_some_calls_are_long(pack):
    lengths = sorted(map(words_said, pack.conversations), reverse=True)

    assert lengths[0] >= WORDS_OF_A_LONG_CALL
    assert lengths[2] >= 600


def test_rules_decide_every_second_unseen_conversation_and_are_hardly_ever_wrong(pack):
    taxonomy = pack.taxonomy()
    book = RuleBook(rule.to_rule(taxonomy) for rule in pack.rules)
    policy = Policy(taxonomy)
    unseen = of_split(pack, "test")

    verdicts = classify([record.transcript for record in unseen], book, None, policy)

    decided = [pair for pair in zip(unseen, verdicts, strict=True) if pair[1].reasons]
    assert len(decided) >= 0.5 * len(unseen)
    assert rightness(decided, taxonomy) >= 0.95


def test_rules_and_a_model_of_the_train_part_decide_most_unseen_conversations(pack):
    taxonomy = pack.taxonomy()
    book = RuleBook(rule.to_rule(taxonomy) for rule in pack.rules)
    model = learn(
        [example(record, taxonomy) for record in of_split(pack, "train")],
        Recipe(),
        taxonomy=taxonomy,
    )
    unseen = of_split(pack, "test")

    verdicts = classify(
        [redact_all(record.transcript) for record in unseen],
        book,
        model,
        Policy(taxonomy, model.thresholds),
    )

    decided = [pair for pair in zip(unseen, verdicts, strict=True) if pair[1].reasons]
    assert len(decided) >= 0.70 * len(unseen)
    assert rightness(decided, taxonomy) >= 0.9


def example(record: Record, taxonomy: Taxonomy) -> Example:
    codes = {taxonomy.code_at(label) for label in record.labels}
    return Example(redact_all(record.transcript), frozenset(filter(None, codes)), record.key)


def rightness(decided: list[tuple[Record, Verdict]], taxonomy: Taxonomy) -> float:
    right = 0
    for record, verdict in decided:
        truths = {taxonomy.code_at(label) for label in record.labels}
        right += taxonomy.is_right(verdict.reasons[0].category, truths - {None})
    return right / len(decided)
