"""Promises of the model: probabilities, exact explanations, one text or many."""

import random
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classifier.engine.text import Speaker, Transcript, Turn
from classifier.engine.text_model import explained
from tests.classifier.engine.words import PHRASES, examples, sentence

WORDS = st.lists(
    st.sampled_from(["refund", "my", "parcel", "is", "late", "ß", "ﬁ", "é", "卡", "…", "12"])
).map(" ".join)


def logit_of(model, transcript, category):
    margins = model.margins([model.read(transcript)])
    column = model.labels.index(category)
    return float(model.calibration.logits(margins)[0, column])


def test_the_likeliest_label_is_the_true_one(model):
    chance = random.Random(7)
    texts = {category: sentence(category, chance) for category in PHRASES}

    answers = model.predict([Transcript.of(text) for text in texts.values()])

    assert [max(shares, key=shares.get) for shares in answers] == list(texts)


@given(st.one_of(st.text(), WORDS))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_gets_a_probability_for_every_label(model, several, text):
    for judge in (model, several):
        (shares,) = judge.predict([Transcript.of(text)])

        assert tuple(shares) == judge.labels
        assert all(0 <= share <= 1 for share in shares.values())


def test_shares_of_labels_that_exclude_each_other_sum_to_one(model):
    (shares,) = model.predict([Transcript.of("where is my parcel")])

    assert sum(shares.values()) == pytest.approx(1)


@pytest.mark.parametrize("which", ["model", "several"])
@pytest.mark.parametrize(
    "text",
    [
        "my parcel is late, my PARCEL is very late, and I want a refund",
        "Straße ﬁnden: my bíll 😀 is wrong",
        "nothing known here at all zzz",
        "",
    ],
)
def test_contributions_sum_to_the_logit(which, text, request):
    judge = request.getfixturevalue(which)
    transcript = Transcript.of(text)

    for category in judge.labels:
        terms = judge.explain(transcript, category, limit=None)

        total = sum(term.weight for term in terms) + judge.base(category)
        assert total == pytest.approx(logit_of(judge, transcript, category), abs=1e-4)


@given(WORDS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_contributions_sum_to_the_logit_for_any_words(model, text):
    transcript = Transcript((Turn(Speaker.CUSTOMER, text), Turn(Speaker.CUSTOMER, text)))

    terms = model.explain(transcript, "billing.refund", limit=None)

    total = sum(term.weight for term in terms) + model.base("billing.refund")
    assert total == pytest.approx(logit_of(model, transcript, "billing.refund"), abs=1e-4)


def test_an_explanation_shows_the_words_that_speak_for_the_category(model):
    transcript = Transcript(
        (
            Turn(Speaker.REPRESENTATIVE, "How can I help?"),
            Turn(Speaker.CUSTOMER, "Dear team,  I want a  REFUND"),
        )
    )

    terms = model.explain(transcript, "billing.refund", limit=3)

    speaking = [term for term in terms if term.weight > 0]
    assert 0 < len(speaking) <= 3
    assert [term.weight for term in terms[: len(speaking)]] == sorted(
        (term.weight for term in speaking), reverse=True
    )
    assert all(term.turn == 1 for term in terms)
    (refund,) = [term for term in speaking if term.term.endswith("refund")]
    assert transcript.turns[1].text[refund.start : refund.end].endswith("REFUND")


@given(WORDS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_number_shown_is_what_all_terms_within_the_span_add(model, text):
    transcript = Transcript.of(f"{text} please refund the payment, where is my parcel {text}")

    for category in model.labels:
        terms = model.explain(transcript, category, limit=None)
        for shown in model.explain(transcript, category):
            within = [
                term.weight
                for term in terms
                if shown.start <= term.start and term.end <= shown.end
            ]
            assert shown.weight == pytest.approx(sum(within), abs=1e-6)


def test_spans_shown_do_not_overlap_and_those_against_come_last(model):
    transcript = Transcript.of(
        "please refund the payment, my parcel is late, I forgot my password"
    )

    for category in model.labels:
        shown = model.explain(transcript, category)

        places = sorted((one.start, one.end) for one in shown)
        assert all(one[1] <= two[0] for one, two in pairwise(places))
        signs = [one.weight > 0 for one in shown]
        assert signs == sorted(signs, reverse=True)
        assert any(signs)


def test_an_unknown_label_has_no_explanation(model):
    assert model.explain(Transcript.of("my parcel"), "no.such.label") == ()


def test_a_batch_answers_what_single_texts_answer(model):
    transcripts = [example.transcript for example in examples(5, seed=9)]
    transcripts += [Transcript.of(""), Transcript(()), Transcript.of("卡 zzz")]

    batch = model.predict(transcripts)

    for transcript, together in zip(transcripts, batch, strict=True):
        (alone,) = model.predict([transcript])
        assert alone == pytest.approx(together, abs=1e-5)


def test_nothing_asked_is_nothing_answered(model):
    assert model.predict([]) == []


def test_a_conversation_of_two_reasons_has_both(several):
    chance = random.Random(4)
    said = [sentence(category, chance) for category in ("billing.refund", "account.password")]
    transcript = Transcript(tuple(Turn(Speaker.CUSTOMER, text) for text in said))

    (shares,) = several.predict([transcript])

    likely = {label for label, share in shares.items() if share > 0.5}
    assert likely == {"billing.refund", "account.password"}


def test_texts_explained_together_are_told_what_each_is_told_alone(model, several):
    chance = random.Random(8)
    texts = [f"{sentence(category, chance)}, é" for category in PHRASES] + [
        "",
        "My  card\nis late",
    ]
    transcripts = [
        Transcript.of(text) for text in [*texts, *(text.replace("é", "") for text in texts)]
    ]
    turns = tuple(Turn(Speaker.CUSTOMER, sentence(category, chance)) for category in PHRASES)
    # Letters beyond ASCII in one long turn just before ASCII in many turns.
    transcripts += [
        Transcript.of(f"café {' '.join(turn.text for turn in turns)}"),
        Transcript(turns),
    ]

    for judge in (model, several):
        opinions = judge.opinions([judge.read(transcript) for transcript in transcripts])
        asked = [(*judge.labels, "no.such.label")] * len(opinions)
        for transcript, labels, told in zip(
            transcripts, asked, explained(opinions, asked), strict=True
        ):
            for label, together in zip(labels, told, strict=True):
                alone = judge.explain(transcript, label)
                assert [one._replace(weight=0.0) for one in together] == [
                    one._replace(weight=0.0) for one in alone
                ]
                assert [one.weight for one in together] == pytest.approx(
                    [one.weight for one in alone], rel=1e-6
                )
