"""Starting: a desk without data of its own begins with the starter pack."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from classifier import starter_pack
from classifier.engine.datasets import Record
from classifier.engine.intake import admitted
from classifier.models import Category, GoldLabel, KeywordRule
from classifier.models.gold_label import Settled
from classifier.starter_pack import StarterPack, StarterRule

SOURCE = "starter pack"


@dataclass(frozen=True, slots=True)
class Started:
    """How much of the pack was new here."""

    categories: int
    rules: int
    gold_labels: int


def load_starter_pack(*, at: datetime) -> Started:
    """Add the pack's categories, keyword rules and labelled conversations (its train split).

    Loading again adds only what is missing: what an admin changed stays as it is. One
    transaction.
    """
    pack = starter_pack.load()
    with transaction.atomic():
        before = Category.objects.count()
        categories = _categories(pack)
        rules = sum(_add_rule(rule, categories[rule.category]) for rule in pack.rules)
        settled = [
            _settled(row, categories) for row in pack.conversations if row.split == "train"
        ]
        return Started(
            categories=Category.objects.count() - before,
            rules=rules,
            gold_labels=GoldLabel.objects.keep_all(settled, source=SOURCE, at=at),
        )


def _categories(pack: StarterPack) -> dict[tuple[str, ...], Category]:
    found = {}
    for starter in pack.categories:
        try:
            category = Category.objects.at_path(starter.path)
        except Category.DoesNotExist:
            category = Category.objects.at_path(starter.path, create=True)
            category.guideline = starter.guideline
            category.save(update_fields=["guideline"])
        found[starter.path] = category
    return found


def _add_rule(starter: StarterRule, category: Category) -> bool:
    condition = starter.condition
    _, is_new = KeywordRule.objects.get_or_create(
        name=starter.name,
        defaults={
            "category": category,
            "any_of": "\n".join(condition.any_of),
            "all_of": "\n".join(condition.all_of),
            "none_of": "\n".join(condition.none_of),
            "speaker": condition.speaker or KeywordRule.SpokenBy.ANYONE,
            "whole_word": condition.whole_word,
            "effect": starter.effect,
            "is_certain": starter.is_certain,
            "must_match": "\n".join(starter.must),
            "must_not_match": "\n".join(starter.must_not),
        },
    )
    return is_new


def _settled(record: Record, categories: dict[tuple[str, ...], Category]) -> Settled:
    return Settled(
        admitted(record.transcript),
        tuple(categories[path] for path in record.labels),
        record.language,
    )
