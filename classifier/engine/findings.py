"""Findings: what a comparison says, in plain sentences for people who do not know statistics."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from classifier.engine.chance import Paired
from classifier.engine.comparison import FEW_TEXTS, Comparison, Outcome
from classifier.engine.taxonomy import Taxonomy

_LISTED = 8  # categories named one by one; the table has them all


class Tone(StrEnum):
    """How a finding should look."""

    GOOD = "good"
    BAD = "bad"
    CALM = "calm"


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence and its tone."""

    tone: Tone
    words: str


def headline(found: Comparison) -> Finding:
    """Return the verdict: better, worse, or nothing that so few texts can show."""
    texts = f"{found.texts:,} unseen texts"
    match found.outcome:
        case Outcome.NO_TEXTS:
            return Finding(
                Tone.CALM,
                "There is nothing to compare on: no gold label is held out yet. About one in"
                " seven is, so settle or import more.",
            )
        case Outcome.ALONE:
            return Finding(
                Tone.CALM,
                "There is no champion to compare with yet: these are the candidate's own figures"
                f" on {texts}.",
            )
        case Outcome.BETTER:
            return Finding(Tone.GOOD, f"Better beyond chance on {texts}: {_told(found.rights)}")
        case Outcome.WORSE:
            return Finding(Tone.BAD, f"Worse beyond chance on {texts}: {_told(found.rights)}")
        case _:
            return Finding(
                Tone.CALM, f"No difference that {texts} can show: {_told(found.rights)}"
            )


def findings(found: Comparison, taxonomy: Taxonomy) -> tuple[Finding, ...]:
    """Return what else to know before promoting, warnings first."""
    told = list(_findings(found, taxonomy))
    return tuple(sorted(told, key=lambda finding: finding.tone is not Tone.BAD))


def _findings(found: Comparison, taxonomy: Taxonomy) -> Iterator[Finding]:
    if found.outcome in (Outcome.NO_TEXTS, Outcome.ALONE):
        return
    if found.texts < FEW_TEXTS:
        yield Finding(
            Tone.CALM, f"{found.texts} texts are few: only large differences show on so few."
        )
    if found.mistakes.is_beyond_chance:
        yield _mistakes(found.mistakes)
    for line in found.lost[:_LISTED]:
        label = taxonomy.label(line.category) if line.category in taxonomy else line.category
        points = round(-100 * line.change.value) if line.change else 0
        few = " So few may be chance; read them." if line.is_small else ""
        yield Finding(
            Tone.BAD,
            f"Worse on {label}: F1 fell by {points} points on {_count(line.texts)}.{few}",
        )
    if len(found.lost) > _LISTED:
        yield Finding(
            Tone.BAD, f"{len(found.lost) - _LISTED} more categories lost; see the table."
        )
    if (new := found.texts - found.common_texts) and found.common_texts:
        yield Finding(
            Tone.CALM,
            f"{_count(new)} are about categories that one of the two had not learnt. On the other"
            f" {found.common_texts:,}: {_told(found.common)}",
        )


def _mistakes(mistakes: Paired) -> Finding:
    if mistakes.worse > mistakes.better:
        return Finding(
            Tone.BAD,
            "It makes more mistakes by itself, beyond chance:"
            f" {mistakes.worse} new ones, {mistakes.better} fewer.",
        )
    return Finding(
        Tone.GOOD,
        "It makes fewer mistakes by itself, beyond chance:"
        f" {mistakes.better} are gone, {mistakes.worse} are new.",
    )


def _told(rights: Paired) -> str:
    if not rights.better and not rights.worse:
        return "the same texts come out right."
    return (
        f"{rights.better} now come out right by themselves that did not, {rights.worse} no longer"
        f" do (p = {rights.p:.2g})."
    )


def _count(texts: int) -> str:
    return f"{texts:,} text{'' if texts == 1 else 's'}"
