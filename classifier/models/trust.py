"""How far a person's word is believed, learnt from how often it turned out right."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

PRIOR_WORDS = 10.0
"""A person's record counts as much as the source's prior after this many settled words."""
PRIORS = {"desk": 0.9, "salesforce": 0.8, "api": 0.8, "import": 0.85}
"""Share of words of each source (``Feedback.Source``) taken for right before anything is known."""


class Trust(models.Model):
    """The record of one person at one source: of so many settled words so many were right.

    ``person`` empty: whoever is not named there.
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
                condition=Q(right__lte=models.F("settled")), name="right_words_are_settled"
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
        if self.fixed is not None:
            return self.fixed
        prior = PRIORS.get(self.source, 0.8)
        return (self.right + PRIOR_WORDS * prior) / (self.settled + PRIOR_WORDS)
