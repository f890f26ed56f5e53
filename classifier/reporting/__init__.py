"""Reporting: why customers contact us, by week and by facet, and what rose or fell beyond chance."""

from classifier.reporting.question import (
    AUTOMATION,
    FACETS,
    Block,
    Compared,
    Decider,
    Level,
    Question,
    Reach,
    last_weeks,
    monday_of,
)
from classifier.reporting.report import Report, Row, report, told
from classifier.reporting.sheets import report_book, report_table

__all__ = [
    "AUTOMATION",
    "FACETS",
    "Block",
    "Compared",
    "Decider",
    "Level",
    "Question",
    "Reach",
    "Report",
    "Row",
    "last_weeks",
    "monday_of",
    "report",
    "report_book",
    "report_table",
    "told",
]
