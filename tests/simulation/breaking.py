"""What an invariant raises, and what several of them speak of."""

from datetime import datetime

from tests.simulation.scheduler import BEGIN

REASONS = ("Contact_Reason__c", "Contact_Reasons__c")
NAMING = (*REASONS, "Contact_Reason_Suggestion__c")
MATERIAL = (*NAMING, "Contact_Reason_Source__c")
MAPPED = {
    *MATERIAL,
    "Contact_Reason_Confidence__c",
    "Contact_Reason_Evidence__c",
    "Contact_Reason_Model__c",
    "Contact_Reason_At__c",
}


class InvariantBroken(Exception):
    """The product did what it promises never to do."""

    def __init__(self, name: str, words: str) -> None:
        super().__init__(f"{name}: {words}")
        self.name = name


def broken(name: str, words: str) -> InvariantBroken:
    return InvariantBroken(name, words)


def seconds_of(text: str) -> float:
    """Return the simulated second of a moment as SQLite holds it."""
    return (moment_of(text) - BEGIN).total_seconds()


def moment_of(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")
