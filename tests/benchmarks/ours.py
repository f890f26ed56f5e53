"""Our side of the table: the engine as the product uses it, through its public functions only."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from classifier.engine.artifact import dump
from classifier.engine.cascade import classify
from classifier.engine.evaluation import (
    BATCH,
    Labelled,
    Quality,
    held_out,
    learned_with_thresholds,
    quality,
)
from classifier.engine.example import Example
from classifier.engine.learning import Learned, learn_and_score
from classifier.engine.policy import Policy
from classifier.engine.recipe import Recipe
from classifier.engine.rules import RuleBook
from classifier.engine.taxonomy import Taxonomy
from classifier.engine.text import Speaker, Transcript
from classifier.engine.text_model import TextModel
from classifier.engine.thresholds import HeldOut
from classifier.engine.verdict import Verdict


class NotBuilt(Exception):
    """The engine cannot do this yet; the message is what the table says."""


@dataclass(frozen=True)
class Ours:
    """A model of the train split with the thresholds that it came with."""

    model: TextModel
    policy: Policy
    out_of_fold: HeldOut
    """What it said of its training texts, each by a model that had not seen it."""

    @classmethod
    def taught(cls, data: Labelled, recipe: Recipe) -> "Ours":
        """Return what learns ``data.train``; its thresholds never see ``data.test``."""
        return cls._of(learned_with_thresholds(data, recipe), data.taxonomy)

    @classmethod
    def of_names(cls, data: Labelled, recipe: Recipe) -> "Ours":
        """Return what knows the names of the data's categories and no labelled text."""
        labels = {code for example in data.train for code in example.categories}
        phrases = {code: (data.taxonomy.label(code),) for code in labels}
        learned = learn_and_score([], recipe, phrases=phrases, taxonomy=data.taxonomy)
        return cls._of(learned, data.taxonomy)

    @classmethod
    def _of(cls, learned: Learned, taxonomy: Taxonomy) -> "Ours":
        policy = Policy(taxonomy, learned.model.thresholds)
        return cls(learned.model, policy, learned.held_out)

    def verdicts(self, transcripts: Sequence[Transcript]) -> list[Verdict]:
        """Return what the whole cascade says, in batches as a worker takes them."""
        found: list[Verdict] = []
        for start in range(0, len(transcripts), BATCH):
            batch = transcripts[start : start + BATCH]
            found += classify(batch, RuleBook(), self.model, self.policy)
        return found

    def quality(self, examples: Sequence[Example]) -> Quality:
        """Return the figures of labelled texts that were not learnt from."""
        verdicts = self.verdicts([example.transcript for example in examples])
        return quality(self.unseen(examples), verdicts, self.policy)

    def unseen(self, examples: Sequence[Example]) -> HeldOut:
        """Return the probabilities of texts that were not learnt from."""
        return held_out(self.model, examples)

    def artifact(self) -> bytes:
        """Return the model file."""
        return dump(self.model)


def recipe_of(*, with_encoder: bool = False, oos_share: float | None = None) -> Recipe:
    """Return the default recipe, or one with an encoder or an assumed share out of scope.

    Raises:
        NotBuilt: recipes do not know an encoder yet.
    """
    recipe = replace(Recipe(), oos_share=oos_share)
    if not with_encoder:
        return recipe
    if "encoder" not in {field.name for field in fields(Recipe)}:
        raise NotBuilt("not built yet")
    return replace(recipe, encoder=True)  # type: ignore[call-arg]


def customer_only(data: Labelled) -> Labelled:
    """Return the data with the customers' turns alone (all turns, where a customer said nothing)."""
    cut = {
        split: tuple(
            replace(example, transcript=_said_by_customer(example.transcript))
            for example in getattr(data, split)
        )
        for split in ("train", "val", "test")
    }
    return replace(data, **cut)  # type: ignore[arg-type]


def _said_by_customer(transcript: Transcript) -> Transcript:
    said = transcript.said_by(Speaker.CUSTOMER)
    return Transcript(tuple(said)) if said else transcript
