"""How far a person's word is believed, learnt from how often it turned out right."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

PRIOR_WORDS = 10.0
"""A person's record counts as much as the source's prior after this many settled words."""
PRIORS = {"desk": 0.9, "salesforce": 0.8, "api": 0.8, "import": 0.85}
"""Share of words of each source (``Feedback.Source``) taken for right before anything is known."""


class Trust(models.Model):
    """The record of one person at one source: of so many settled words so many were right.

    ``person`` empty: whoever is nameless there; ``fixed`` for them is also where everybody of
    that source begins of whom nothing is fixed.
    """

    source = models.CharField(max_length=10)
    person = models.CharField(max_length=120, blank=True)
    person_name = models.CharField(max_length=120, blank=True)
    right = models.PositiveIntegerField(default=0)
    settled = models.PositiveIntegerField(default=0)
    fixed = models.FloatField(
        "fixed by an admin",
        null=True,
        blank=True,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text="0 to 1; replaces what is learnt from the record. 0: this word never counts.",
    )

    class Meta:
        verbose_name_plural = "trust"
        ordering = ("source", "person")
        constraints = (
            models.UniqueConstraint(fields=["source", "person"], name="one_trust_per_person"),
            models.CheckConstraint(
                condition=Q(right__lte=F("settled")), name="right_words_are_settled"
            ),
            models.CheckConstraint(
                condition=Q(fixed=None) | Q(fixed__gte=0.0, fixed__lte=1.0),
                name="trust_is_a_share",
            ),
        )

    def __str__(self) -> str:
        return self.person_name or self.person or self.source

    @property
    def share(self) -> float:
        """How far a word of theirs is believed, 0 to 1: the record, shrunk to the prior."""
        return self.share_given(prior_of(self.source))

    def share_given(self, prior: float) -> float:
        """Return the share where people of whom nothing is known are believed so far."""
        if self.fixed is not None:
            return self.fixed
        return (self.right + PRIOR_WORDS * prior) / (self.settled + PRIOR_WORDS)

    @classmethod
    def count(
        cls, source: str, person: str, person_name: str, *, right: int, settled: int
    ) -> None:
        """Add to a person's record (or, negative, take back what was counted before)."""
        row, is_new = cls.objects.get_or_create(
            source=source,
            person=person,
            defaults={"person_name": person_name, "right": right, "settled": settled},
        )
        if not is_new:
            changes = {"right": F("right") + right, "settled": F("settled") + settled}
            named = {"person_name": person_name} if person_name else {}
            cls.objects.filter(pk=row.pk).update(**changes, **named)


def prior_of(source: str) -> float:
    """Return how far people of a source are believed of whom nothing is known."""
    return PRIORS.get(source, 0.8)


@dataclass(frozen=True)
class TrustBook:
    """How far the people of some words are believed, read at once."""

    rows: Mapping[tuple[str, str], Trust]

    @classmethod
    def of(cls, people: Collection[tuple[str, str]]) -> "TrustBook":
        """Return what is known of these people, each a source and a person, in one query."""
        sources = {source for source, _ in people}
        names = {person for _, person in people} | {""}
        rows = Trust.objects.filter(source__in=sources, person__in=names)
        return cls({(row.source, row.person): row for row in rows})

    def share(self, source: str, person: str) -> float:
        """Return how far a word of theirs is believed, 0 to 1."""
        others = self.rows.get((source, ""))
        prior = prior_of(source) if others is None or others.fixed is None else others.fixed
        row = self.rows.get((source, person))
        return prior if row is None else row.share_given(prior)
