"""The cascade, the engine's front door: fold, match rules, ask the model once, settle."""

from collections.abc import Mapping, Sequence

from classifier.engine.policy import Policy, outcome, settle
from classifier.engine.rules import RuleBook
from classifier.engine.text import Transcript
from classifier.engine.text_model import TextModel, explained
from classifier.engine.verdict import Verdict

TEXTS_AT_ONCE = 200
"""50 take a seventh more time, twice as many none less; 200 conversations of STAR hold 6 MB."""


def classify(
    transcripts: Sequence[Transcript],
    rulebook: RuleBook,
    model: TextModel | None,
    policy: Policy,
) -> list[Verdict]:
    """Return a verdict for each transcript, in the order given; any words get one.

    Each turn is folded once, and the model is asked for ``TEXTS_AT_ONCE`` together. ``policy``
    should hold ``model.thresholds``: those of another model promise nothing for this one.
    """
    return [verdict for verdict, _ in weigh(transcripts, rulebook, model, policy)]


def weigh(
    transcripts: Sequence[Transcript],
    rulebook: RuleBook,
    model: TextModel | None,
    policy: Policy,
) -> list[tuple[Verdict, Mapping[str, float]]]:
    """Return what ``classify`` does, each verdict with the model's calibrated probabilities.

    They are empty where there is no model.
    """
    return [
        weighed
        for start in range(0, len(transcripts), TEXTS_AT_ONCE)
        for weighed in _weighed(
            transcripts[start : start + TEXTS_AT_ONCE], rulebook, model, policy
        )
    ]


def _weighed(
    transcripts: Sequence[Transcript],
    rulebook: RuleBook,
    model: TextModel | None,
    policy: Policy,
) -> list[tuple[Verdict, Mapping[str, float]]]:
    hits = rulebook.match_all(transcripts)
    if model is None:
        pairs = zip(transcripts, hits, strict=True)
        return [(settle(transcript, found, None, policy), {}) for transcript, found in pairs]
    opinions = model.opinions([model.read(transcript) for transcript in transcripts])
    outcomes = [
        outcome(transcript, found, said.shares, policy)
        for transcript, found, said in zip(transcripts, hits, opinions, strict=True)
    ]
    terms = explained(opinions, [each.explained_by for each in outcomes])
    return [
        (each.verdict(found), said.shares)
        for each, found, said in zip(outcomes, terms, opinions, strict=True)
    ]
