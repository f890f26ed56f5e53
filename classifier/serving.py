"""What this process serves with: the rules, the champion and the tree that the database names.

Compiled rule books and loaded models are kept by their digests, so asking again costs three small
queries, and every worker on every machine follows a change with its next batch.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

from django.conf import settings

from classifier.engine import artifact, cascade
from classifier.engine.counterfactual import Counterfactual, counterfactual
from classifier.engine.errors import ArtifactRefused
from classifier.engine.policy import Policy
from classifier.engine.rules import Rule, RuleBook
from classifier.engine.taxonomy import Taxonomy
from classifier.engine.text import Transcript
from classifier.engine.text_model import TextModel
from classifier.engine.thresholds import Thresholds
from classifier.engine.verdict import Verdict
from classifier.models import Category, KeywordRule, ModelArtifact, ModelVersion

logger = logging.getLogger(__name__)

REASON_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Champion:
    """The model in use, and the row it came from."""

    version: ModelVersion
    model: TextModel


@dataclass(frozen=True, slots=True)
class Serving:
    """All that a verdict is made with, as it stood at one moment."""

    rulebook: RuleBook
    champion: Champion | None
    policy: Policy

    @property
    def model_version(self) -> ModelVersion | None:
        return self.champion.version if self.champion else None

    @property
    def model(self) -> TextModel | None:
        return self.champion.model if self.champion else None

    @property
    def taxonomy(self) -> Taxonomy:
        return self.policy.taxonomy

    def classify(self, transcripts: Sequence[Transcript]) -> list[Verdict]:
        """Return a verdict for each transcript, in order."""
        return cascade.classify(transcripts, self.rulebook, self.model, self.policy)

    def weigh(
        self, transcripts: Sequence[Transcript]
    ) -> list[tuple[Verdict, Mapping[str, float]]]:
        """Return each transcript's verdict and probabilities; see ``cascade.weigh``."""
        return cascade.weigh(transcripts, self.rulebook, self.model, self.policy)

    def counterfactual(self, transcript: Transcript) -> Counterfactual:
        """Return the fewest words without which the answer would be another."""
        return counterfactual(transcript, self.rulebook, self.model, self.policy)


class Shelf:
    """Keeps the newest compiled rule book and the newest good champion of this process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._rulebook = RuleBook()
        self._rules: list[Rule] = []
        self._written: list[tuple[Any, ...]] = []
        self._rules_made: list[Rule] = []
        """The rules in force, and the rows that they were made of."""
        self._champion: Champion | None = None
        self._refused_sha256 = ""

    def current(self) -> Serving:
        """Return what the database says is to be served now.

        A champion whose artifact is damaged is not served: the last good one of this process
        is, else the rules alone; the reason is logged and kept on the model version.
        """
        demanded = Category.objects.policy(Thresholds(), audit_share=settings.AUDIT_SHARE)
        rules = self._current_rules()
        version = ModelVersion.objects.champions().first()
        with self._lock:
            champion = self._follow(version)
            thresholds = champion.model.thresholds if champion else Thresholds()
            policy = replace(demanded, thresholds=thresholds)
            return Serving(self._compiled(rules), champion, policy)

    def _current_rules(self) -> list[Rule]:
        """Return the rules in force; where no row has changed, those made before.

        To parse a hundred rules takes three times as long as all else of an answer does.
        """
        in_force = KeywordRule.objects.in_force()
        written = in_force.written()
        with self._lock:
            if written == self._written:
                return self._rules_made
        rules = in_force.rules()
        with self._lock:
            self._written, self._rules_made = written, rules
        return rules

    def _compiled(self, rules: list[Rule]) -> RuleBook:
        if rules != self._rules:
            self._rulebook, self._rules = RuleBook(rules), rules
        return self._rulebook

    def _follow(self, version: ModelVersion | None) -> Champion | None:
        if version is None:
            self._champion = None
        elif self._champion and self._champion.version.sha256 == version.sha256:
            self._champion = replace(self._champion, version=version)
        elif version.sha256 != self._refused_sha256:
            self._load(version)
        return self._champion

    def _load(self, version: ModelVersion) -> None:
        try:
            model = load(version)
        except ArtifactRefused as error:
            self._refused_sha256 = version.sha256
            self._tell(version, str(error))
            return
        self._champion = Champion(version, model)
        if version.refused_because:
            ModelVersion.objects.filter(pk=version.pk).update(refused_because="")

    def _tell(self, version: ModelVersion, reason: str) -> None:
        fallback = str(self._champion.version.number) if self._champion else "rules_only"
        logger.error("model=%s refused=%r serving=%s", version.number, reason, fallback)
        ModelVersion.objects.filter(pk=version.pk).update(
            refused_because=reason[:REASON_CHARACTERS]
        )


def load(version: ModelVersion) -> TextModel:
    """Return a version's model, whether it serves or not.

    Raises:
        ArtifactRefused: its bytes are missing or damaged.
    """
    content = ModelArtifact.objects.filter(version=version).values_list("content", flat=True)
    if (found := content.first()) is None:
        raise ArtifactRefused("the model's bytes are missing; train it again")
    return artifact.load(bytes(found), version.sha256)


_SHELF = Shelf()


def current() -> Serving:
    """Return what this process serves with now; see ``Shelf.current``."""
    return _SHELF.current()
