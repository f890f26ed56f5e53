"""What was measured of a model, as people read it."""

from collections.abc import Mapping
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

METRICS = {
    "coverage": "Decided alone",
    "precision": "Right when it decides alone",
    "target_precision": "Aimed at, when it decides alone",
    "micro_f1": "Micro-F1",
    "accuracy": "Accuracy",
    "accuracy_at_threshold": "Accuracy, unsure counted as wrong",
    "macro_f1": "Macro-F1",
    "ece": "Calibration error",
    "oos_recall": "Out of scope recognised",
    "mcc": "Matthews correlation",
    "mcc_best": "Matthews correlation, best threshold",
    "test": "Held-out labels",
}
TRAINED = {"train": "Training labels", "test": "Held-out labels", "labels": "Categories"}
RECIPE = {
    "target_precision": "Share that shall be right",
    "oos_share": "Assumed share out of scope",
    "min_texts": "Texts a phrase must stand in",
    "most_features": "Most words and phrases",
    "meaning": "Weight of meanings",
    "encoder": "Sentence encoder",
    "whole": "Weight of the sentence encoder",
    "penalty": "Penalty (C)",
    "balance": "Balance of rare categories",
    "names_below": "Category’s name as an example, below",
    "folds": "Parts for out-of-fold scores",
    "seed": "Seed",
}
"""``engine.recipe.Recipe`` in words."""
LEFT_OPEN = {
    "oos_share": "as labelled",
    "min_texts": "by the number of labels",
    "meaning": "by the number of labels",
    "whole": "by the number of labels",
    "folds": "by the number of labels",
}
"""What a part of the recipe that is not set means."""
NOT_SHARES = {"test", "mcc", "mcc_best"}
LISTED = ("coverage", "precision")
"""What a list of models tells: what a desk notices of it."""


def quality(metrics: Mapping[str, Any]) -> str:
    """Return what matters most in one line; empty where it was not measured."""
    known = dict(figures(metrics))
    return ", ".join(
        f"{METRICS[key]} {shown(key, known[key])}" for key in LISTED if key in known
    )


def figures(metrics: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Return the measures that have a name here, in the order of ``METRICS``."""
    return [(key, metrics[key]) for key in METRICS if isinstance(metrics.get(key), int | float)]


def shown(key: str, value: object) -> str:
    """Return a figure as people read it: shares in per cent, the rest as it is."""
    if value is None:
        return LEFT_OPEN.get(key, "–")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and key in METRICS.keys() - NOT_SHARES:
        return f"{value:.1%}"
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def table(values: Mapping[str, Any], names: Mapping[str, str]) -> SafeString:
    """Return a small table of what was measured or set; nested values are left out."""
    plain = {key: value for key, value in values.items() if not isinstance(value, dict | list)}
    ordered = [key for key in names if key in plain] + [
        key for key in plain if key not in names
    ]
    rows = [
        (names.get(key, key.replace("_", " ").capitalize()), shown(key, plain[key]))
        for key in ordered
    ]
    body = format_html_join("", "<tr><th>{}</th><td>{}</td></tr>", rows)
    return format_html('<table class="cr-facts">{}</table>', body) if rows else SafeString("–")
