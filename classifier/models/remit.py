"""Whose conversations the members of a group may see."""

from typing import Any, Self

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models
from django.db.models import Q, QuerySet

SEES_ALL = "classifier.see_all_conversations"


class RemitQuerySet(models.QuerySet["Remit"]):
    """Finds what a person's groups may see together."""

    def of(self, user: Any) -> Self:
        return self.filter(group__user=user.pk).distinct()


class Remit(models.Model):
    """The queues and teams whose conversations a group's members see and export.

    A person sees what any of their groups sees. A person none of whose groups has a remit
    sees everything, as does one with the permission ``see_all_conversations``; a remit
    without queues and teams shows nothing.
    """

    group = models.OneToOneField("auth.Group", models.CASCADE, related_name="remit")
    queues = models.JSONField(
        default=list, blank=True, help_text="Names of owner queues, as in Salesforce."
    )
    teams = models.JSONField(default=list, blank=True, help_text="Names of teams.")

    objects = RemitQuerySet.as_manager()

    class Meta:
        permissions = (
            ("see_all_conversations", "Can see the conversations of every queue and team"),
        )

    def __str__(self) -> str:
        return f"remit of {self.group}"


def is_limited(user: Any) -> bool:
    """Return whether ``user`` sees the conversations of some queues and teams only."""
    if getattr(user, "is_superuser", False):
        return False
    return Remit.objects.of(user).exists() and not user.has_perm(SEES_ALL)


def within_remit(
    rows: "QuerySet[Any]", user: AbstractBaseUser | AnonymousUser, path: str = ""
) -> "QuerySet[Any]":
    """Return those of ``rows`` that ``user`` may see.

    ``path`` leads from the rows to the columns ``queue`` and ``team``: empty where they have
    them themselves (Decision, Transcript, Review), ``"transcript__"`` for Feedback. One query
    for the user's remits, none per row.
    """
    if getattr(user, "is_superuser", False):
        return rows
    remits = list(Remit.objects.of(user))
    if not remits or user.has_perm(SEES_ALL):  # type: ignore[union-attr]
        return rows
    queues = {name for remit in remits for name in remit.queues}
    teams = {name for remit in remits for name in remit.teams}
    return rows.filter(Q(**{f"{path}queue__in": queues}) | Q(**{f"{path}team__in": teams}))
