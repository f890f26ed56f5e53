"""The page that an assessment becomes: words, tables and pictures, one file without scripts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.template.loader import render_to_string

from classifier.engine.prospects import FEWEST
from sfsync.models import AssessedCase, Assessment

STYLES = Path(__file__).parent / "static" / "sfsync" / "assessment.css"
PATH_SEPARATOR = " › "
WIDTH, HEIGHT = 640, 260
"""Of the picture of precision, in its own units."""
LEFT, BOTTOM, TOP, RIGHT = 76, 40, 12, 32
LOWEST = 0.5
"""Precision at the foot of the picture; what lies below is no automation."""
BARS = 8
"""Bars of a picture at most; the rest is one bar more."""
WORST = 100
"""Doubtful tags that the page lists; the downloaded list has all."""
SHOWN_MIX_UPS = 15
WORTH_IT, MAYBE = 0.6, 0.3
"""Shares automated at the higher precision, from which on it is said to be worth it, or partly."""


@dataclass(frozen=True, slots=True)
class Bar:
    name: str
    count: int
    percent: float
    """Of all, for people."""
    width: float
    """Of the longest bar, 0 to 100."""


@dataclass(frozen=True, slots=True)
class Whisker:
    """A share with its interval, as a picture of width 100."""

    share: float
    low: float
    high: float

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> "Whisker | None":
        if found["share"] is None:
            return None
        return cls(*(round(100 * found[name], 1) for name in ("share", "low", "high")))

    @property
    def reach(self) -> float:
        return round(self.high - self.low, 1)


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """One reason of the table."""

    name: str
    have: int
    advice: str
    automated: Whisker | None
    easier: Whisker | None
    """The same at the lower precision."""
    right: Whisker | None


def html_of(assessment: Assessment, worst: Sequence[AssessedCase] | None = None) -> str:
    """Return one HTML file that needs nothing else: no script, no picture, no other address.

    ``worst``: the doubtful Cases that it lists; None: the worst of all.
    """
    shown = list(doubtful(assessment)[:WORST]) if worst is None else worst
    context = view_of(assessment, shown)
    return render_to_string(
        "sfsync/assessment_file.html", {**context, "styles": STYLES.read_text("utf-8")}
    )


def doubtful(assessment: Assessment) -> Any:
    """Return the Cases whose tags look wrong, worst first, without their words."""
    found = AssessedCase.objects.filter(assessment=assessment).exclude(doubt=None)
    return found.order_by("doubt").defer("turns")


def view_of(assessment: Assessment, worst: Sequence[AssessedCase]) -> dict[str, Any]:
    """Return what the templates show of a finished assessment."""
    report = assessment.report
    lower, higher = report["prospects"][0], report["prospects"][-1]
    lines = [_reason(each) for each in report["reasons"]]
    names = _names(report)
    return {
        "assessment": assessment,
        "report": report,
        "fields": PATH_SEPARATOR.join(level["label"] for level in assessment.levels),
        "verdict": _verdict(higher),
        "prospects": [_prospect(each) for each in (higher, lower)],
        "higher": _percent(higher["target"]),
        "lower": _percent(lower["target"]),
        "reasons": sorted(lines, key=lambda line: (-line.have, line.name)),
        "few": sum(line.advice != "" for line in lines),
        "mix_ups": [_mix_up(each) for each in report["mix_ups"][:SHOWN_MIX_UPS]],
        "more_mix_ups": max(0, len(report["mix_ups"]) - SHOWN_MIX_UPS),
        "picture": _picture(report["curve"], (higher, lower)),
        "pictures": [
            ("Languages", _bars(report["languages"], report["cases"]), ""),
            ("Channels", _bars(report["channels"], report["cases"]), ""),
            (
                "Lengths, in words",
                _length_bars(report["lengths"], report["cases"]),
                f"Half of the Cases have {report['median_words']:,.0f} words or fewer.",
            ),
        ],
        "worst": [_doubt(row, names) for row in worst],
        "noise": _percent(report["noise"], 1),
        "left_out": report["without_words"] + sum(count for _, count in report["inactive"]),
    }


def path_in_words(path: Sequence[str]) -> str:
    return PATH_SEPARATOR.join(path)


def _names(report: Mapping[str, Any]) -> dict[tuple[str, ...], str]:
    return {tuple(each["values"]): path_in_words(each["path"]) for each in report["reasons"]}


def _verdict(higher: Mapping[str, Any]) -> str:
    share = higher["automated"]["share"] or 0.0
    if share >= WORTH_IT:
        return "Yes: most of your Cases could be tagged without a person."
    if share >= MAYBE:
        return "Partly: a good share of your Cases could be tagged without a person."
    return (
        "Not yet: with these tags and words few Cases could be tagged without a person. Mend what"
        " is mixed up below, and collect more examples."
    )


def _prospect(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "target": _percent(found["target"]),
        "automated": Whisker.of(found["automated"]),
        "right": Whisker.of(found["right"]),
        "count": found["automated"]["count"],
        "of": found["automated"]["of"],
    }


def _reason(found: Mapping[str, Any]) -> ReasonLine:
    easier, today = found["at"][0], found["at"][-1]
    return ReasonLine(
        path_in_words(found["path"]),
        found["have"],
        _advice(found["have"], found["more"]),
        Whisker.of(today["automated"]),
        Whisker.of(easier["automated"]),
        Whisker.of(today["right"]),
    )


def _advice(have: int, more: int | None) -> str:
    if more is None:
        return "more alone hardly help: it is mixed up"
    if more and have + more <= FEWEST:
        return f"at least {more:,} more to tell"
    return f"about {more:,} more" if more else ""


def _mix_up(found: Mapping[str, Any]) -> dict[str, Any]:
    mixed = found["confused"] + found["twins"]
    return {
        **found,
        "one": path_in_words(found["one"]),
        "other": path_in_words(found["other"]),
        "percent": _percent(min(1.0, mixed / found["texts"])),
    }


def _doubt(row: AssessedCase, names: Mapping[tuple[str, ...], str]) -> dict[str, Any]:
    return {
        "number": row.case_number or row.case_id,
        "case_id": row.case_id,
        "tag": names.get(tuple(row.path)) or path_in_words(row.path),
        "suggested": names.get(tuple(row.suggested)) or path_in_words(row.suggested),
        "rank": row.doubt,
    }


def _bars(counted: Sequence[tuple[str, int]], total: int) -> list[Bar]:
    shown = list(counted[:BARS])
    if rest := sum(count for _, count in counted[BARS:]):
        shown.append((f"{len(counted) - BARS} others", rest))
    return _drawn(shown, total)


def _length_bars(counted: Sequence[tuple[int, int]], total: int) -> list[Bar]:
    named, begin = [], 1
    for end, count in counted:
        named.append((f"{begin:,} to {end:,}" if end else f"{begin:,} and more", count))
        begin = end + 1
    while named and not named[-1][1]:
        named.pop()
    return _drawn(named, total)


def _drawn(counted: Sequence[tuple[str, int]], total: int) -> list[Bar]:
    longest = max((count for _, count in counted), default=0) or 1
    return [
        Bar(name, count, round(100 * count / max(total, 1), 1), round(100 * count / longest, 1))
        for name, count in counted
    ]


def _picture(
    curve: Sequence[Sequence[float]], prospects: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the geometry of precision over the share automated."""
    points = [(_x(share), _y(right)) for share, right in curve]
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "right": WIDTH - RIGHT,
        "top": TOP,
        "foot": HEIGHT - BOTTOM,
        "line": " ".join(f"{x:.1f},{y:.1f}" for x, y in points),
        "across": [(f"{step} %", _x(step / 100)) for step in (0, 25, 50, 75, 100)],
        "up": [(f"{step} %", _y(step / 100)) for step in (50, 60, 70, 80, 90, 100)],
        "promises": [
            {"y": _y(each["right"]["share"] or 0.0), "x": _x(each["automated"]["share"] or 0.0)}
            for each in prospects
        ],
    }


def _x(share: float) -> float:
    return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)


def _y(right: float) -> float:
    height = HEIGHT - TOP - BOTTOM
    return round(TOP + height * (1 - (max(right, LOWEST) - LOWEST) / (1 - LOWEST)), 1)


def _percent(share: float, digits: int = 0) -> str:
    return f"{100 * share:.{digits}f} %"
