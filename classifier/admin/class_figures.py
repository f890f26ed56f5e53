"""How a model does on each category, in the words that people read."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

PROVEN = {
    "alone": "alone",
    "siblings": "only together with its siblings",
    "whole": "only together with others",
    "nothing": "suggested only",
}
TOLD = 10
"""Critical categories that are told one by one; the table has them all."""


def promised(metrics: Mapping[str, Any]) -> SafeString:
    """Return what all automatic decisions together prove, in a sentence."""
    whole = metrics.get("promised")
    if not whole:
        return SafeString("–")
    if whole["by"] == "nothing":
        return SafeString(
            "Too few labelled conversations to prove anything: the model decides only for"
            " categories that are proven alone, and suggests for all others."
        )
    return format_html(
        "At least {} of what is decided is right, 95 % sure; {} is decided by the model alone"
        " ({} if nothing had to be proven).",
        _percent(whole["at_least"]),
        _percent(whole["coverage"]),
        _percent(whole["coverage_plain"]),
    )


def watched(metrics: Mapping[str, Any], known: Mapping[str, tuple[int, str]]) -> SafeString:
    """Return a sentence for each critical category, those of which least is proven first.

    ``known`` maps codes to ids and words. Of many, the first ``TOLD`` are told.
    """
    reports = [report for report in metrics.get("categories", []) if report["watched"]]
    if not reports:
        return SafeString("No category is marked critical.")
    reports.sort(key=_proven)
    told = format_html_join(
        "",
        "<p><b>{}</b>: {}</p>",
        (
            (known.get(code := report["category"], (0, code))[1], watching(report))
            for report in reports[:TOLD]
        ),
    )
    if len(reports) <= TOLD:
        return told
    more = '<p><a class="cr-link" href="?show=critical#categories">All {} critical categories</a></p>'
    return told + format_html(more, len(reports))


def _proven(report: Mapping[str, Any]) -> float:
    bar: Mapping[str, float] | None = report["watched"]["bar"]
    return bar["at_least"] if bar else 0.0


def cells(report: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """Return a category's figures, each with a remark, in the order of the table's columns."""
    proof = report["proof"]
    return (
        (f"{report['train']:,}", ""),
        (f"{report['test']:,}", ""),
        (_of(report["right"], report["decided"]), ""),
        (_of(report["found"], report["test"]), ""),
        (_percent(proof["at_least"]), PROVEN[proof["by"]]) if proof else ("–", ""),
        (_percent(proof["coverage"]), f"{_percent(proof['coverage_plain'])} without proof")
        if proof
        else ("–", ""),
    )


def watching(report: Mapping[str, Any]) -> str:
    """Return how a critical category is watched over, in a sentence that follows its name."""
    found, bar = report["watched"], report["watched"]["bar"]
    seen = _of(found["caught"], report["test"])
    held_out = (
        f"of the held-out conversations {seen} were written or came before a person first"
        f" (at least {_percent(found['at_least'])}, 95 % sure)"
    )
    if bar is None:
        return f"the model never learnt it, so only rules can raise the alarm; {held_out}."
    short = (
        ""
        if bar["at_least"] >= bar["floor"]
        else f", too few for the {_percent(bar['floor'])} that are asked: label more"
    )
    return (
        f"{bar['texts']:,} labelled conversations prove that at least"
        f" {_percent(bar['at_least'])} are noticed{short}; {_percent(bar['alerted'])} of all"
        f" conversations are looked at for it at most; {held_out}."
    )


def _of(count: int, total: int) -> str:
    return f"{count} of {total}" if total else "–"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"
