"""How a model does on each category, as people read it."""

from collections.abc import Mapping
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

PROVEN = {
    "alone": "alone",
    "siblings": "only together with its siblings",
    "whole": "only together with others",
    "nothing": "not proven: suggested only",
}
HEAD = (
    "Category",
    "Learnt from",
    "Held out",
    "Right when decided",
    "Found",
    "Precision proven",
    "Decided (without the proof)",
)


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


def each_category(metrics: Mapping[str, Any], labels: Mapping[str, str]) -> SafeString:
    """Return a table of all categories, the rare ones first; ``labels`` maps codes to words."""
    reports = metrics.get("categories")
    if not reports:
        return SafeString("–")
    rows = [_row(report, labels) for report in reports]
    head = format_html_join("", "<th>{}</th>", ((title,) for title in HEAD))
    body = format_html_join(
        "", "<tr>{}</tr>", ((format_html_join("", "<td>{}</td>", row),) for row in rows)
    )
    return format_html('<table class="cr-facts"><tr>{}</tr>{}</table>', head, body)


def watched(metrics: Mapping[str, Any], labels: Mapping[str, str]) -> SafeString:
    """Return a sentence for each critical category."""
    sentences = [
        (labels.get(report["category"], report["category"]), _watching(report))
        for report in metrics.get("categories", [])
        if report["watched"]
    ]
    if not sentences:
        return SafeString("No category is marked critical.")
    return format_html_join("", "<p><b>{}</b>: {}</p>", sentences)


def _row(report: Mapping[str, Any], labels: Mapping[str, str]) -> list[tuple[str]]:
    label = labels.get(report["category"], report["category"])
    proof = report["proof"]
    cells = (
        f"{label} (rare)" if report["is_rare"] else label,
        f"{report['train']:,}",
        f"{report['test']:,}",
        _of(report["right"], report["decided"]),
        _of(report["found"], report["test"]),
        f"{_percent(proof['at_least'])} {PROVEN[proof['by']]}" if proof else "–",
        f"{_percent(proof['coverage'])} ({_percent(proof['coverage_plain'])})"
        if proof
        else "–",
    )
    return [(cell,) for cell in cells]


def _watching(report: Mapping[str, Any]) -> str:
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
