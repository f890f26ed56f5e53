"""What an admin lets the org do when a row is saved: before-save flows and validation rules.

A flow that runs before saving changes fields of the row itself, and no right of the user's
stops it. Rules look at the row after that. Of flows this org knows a start with a condition,
decisions by one custom permission, and assignments; anything else is refused when deployed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sfsync.local_org.errors import Refusal
from sfsync.local_org.formulas import Formula, Saving
from sfsync.local_org.moments import Value
from sfsync.local_org.tables import Row

END = ""
"""Where a path of a flow that leads no further leads."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """A step of a flow that gives fields of the row values, and the step after it."""

    values: Mapping[str, Value]
    then: str = END


@dataclass(frozen=True, slots=True)
class Decision:
    """A step of a flow that asks whether the user has a custom permission."""

    permission: str
    wanted: bool
    then: str = END
    otherwise: str = END


@dataclass(frozen=True, slots=True)
class Flow:
    """A record-triggered flow that runs before a row is saved."""

    name: str
    sobject: str
    is_active: bool
    on_create: bool
    on_update: bool
    condition: Formula
    first: str
    steps: Mapping[str, Assignment | Decision]

    @property
    def fields(self) -> set[str]:
        """Fields that it reads or writes."""
        given = [step.values for step in self.steps.values() if isinstance(step, Assignment)]
        return self.condition.fields | {name for values in given for name in values}

    @property
    def permissions(self) -> set[str]:
        asked = (step for step in self.steps.values() if isinstance(step, Decision))
        return self.condition.permissions | {step.permission for step in asked}

    def changes(self, saving: Saving) -> Row:
        """Return what the flow changes of a row that is being saved."""
        wanted = self.on_create if saving.before is None else self.on_update
        if not (self.is_active and wanted and self.condition.holds(saving)):
            return {}
        changed: Row = {}
        at = self.first
        while at != END:
            step = self.steps[at]
            if isinstance(step, Assignment):
                changed |= step.values
                at = step.then
            else:
                has_it = step.permission in saving.permissions
                at = step.then if has_it is step.wanted else step.otherwise
        return changed


@dataclass(frozen=True, slots=True)
class Rule:
    """A validation rule: where its formula is true, the row is refused."""

    name: str
    sobject: str
    is_active: bool
    condition: Formula
    message: str
    shown_at: str = ""
    """Field beside which the message is shown; empty: at the top of the page."""


@dataclass(slots=True)
class Automations:
    """All of one org, by name."""

    flows: dict[str, Flow] = field(default_factory=dict)
    rules: dict[str, Rule] = field(default_factory=dict)
    permissions: set[str] = field(default_factory=set)
    """Custom permissions that the org has."""

    def applied(
        self, sobject: str, before: Row | None, values: Row, permissions: Iterable[str]
    ) -> Row:
        """Return the values of a row that is being saved, with what flows change of them.

        Raises:
            Refusal: a validation rule refuses the row.
        """
        if not self.flows and not self.rules:
            return values
        held = frozenset(permissions)
        for flow in self.flows.values():
            if flow.sobject == sobject:
                saving = Saving(before, {**(before or {}), **values}, held)
                values = {**values, **flow.changes(saving)}
        saving = Saving(before, {**(before or {}), **values}, held)
        for rule in self.rules.values():
            if rule.sobject == sobject and rule.is_active and rule.condition.holds(saving):
                shown_at = [rule.shown_at] if rule.shown_at else []
                raise Refusal(400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.message, shown_at)
        return values
