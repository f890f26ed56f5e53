"""Reading flows, validation rules and custom permissions out of a source package."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from sfsync.local_org.automations import END, Assignment, Decision, Flow, Rule
from sfsync.local_org.elements import NAMESPACE, flag, refuse_other, told, wanted
from sfsync.local_org.formulas import PERMISSION, RECORD, Formula
from sfsync.local_org.moments import Value

LONGEST_MESSAGE = 255
_TRIGGERS = {
    "Create": (True, False),
    "Update": (False, True),
    "CreateAndUpdate": (True, True),
}
_STEPS = frozenset({"assignments", "decisions"})
_AROUND = frozenset(
    {
        "apiVersion",
        "areMetricsLoggedToDataCloud",
        "description",
        "environments",
        "interviewLabel",
        "label",
        "processMetadataValues",
        "processType",
        "start",
        "status",
    }
)


def to_permission(name: str, root: Element) -> str:
    """Return the name of a custom permission.

    Raises:
        ValueError: a sentence about what a real org would refuse.
    """
    refuse_other(root, "CustomPermission")
    wanted(root, "label")
    return name


def to_rule(sobject: str, name: str, root: Element) -> Rule:
    """Return the validation rule of a document.

    Raises:
        ValueError: a sentence about what a real org would refuse, or this one cannot run.
    """
    refuse_other(root, "ValidationRule")
    if wanted(root, "fullName") != name:
        raise ValueError(f"the file's name does not fit fullName {wanted(root, 'fullName')}")
    message = wanted(root, "errorMessage")
    if len(message) > LONGEST_MESSAGE:
        raise ValueError(f"errorMessage longer than {LONGEST_MESSAGE} characters")
    condition = Formula.parse(wanted(root, "errorConditionFormula"))
    shown_at = told(root, "errorDisplayField")
    return Rule(name, sobject, flag(root, "active"), condition, message, shown_at)


def to_flow(name: str, root: Element) -> Flow:
    """Return the before-save flow of a document.

    Raises:
        ValueError: a sentence about what a real org would refuse, or this one cannot run.
    """
    refuse_other(root, "Flow")
    for child in root:
        if (kind := child.tag.removeprefix(NAMESPACE)) not in _STEPS | _AROUND:
            raise ValueError(f"this org runs no flow with {kind}")
    wanted(root, "label")
    start = root.find(f"{NAMESPACE}start")
    if start is None or wanted(root, "processType") != "AutoLaunchedFlow":
        raise ValueError("this org runs record-triggered flows only")
    if wanted(start, "triggerType") != "RecordBeforeSave":
        raise ValueError("this org runs flows before saving only")
    on_create, on_update = _TRIGGERS[wanted(start, "recordTriggerType")]
    steps = dict(_steps(root))
    flow = Flow(
        name,
        wanted(start, "object"),
        wanted(root, "status") == "Active",
        on_create,
        on_update,
        Formula.parse(told(start, "filterFormula") or "TRUE"),
        _target(start),
        steps,
    )
    _refuse_loose_ends(flow)
    return flow


def _steps(root: Element) -> Iterator[tuple[str, Assignment | Decision]]:
    for one in root.findall(f"{NAMESPACE}assignments"):
        values = dict(_assigned(part) for part in one.findall(f"{NAMESPACE}assignmentItems"))
        yield wanted(one, "name"), Assignment(values, _target(one))
    for one in root.findall(f"{NAMESPACE}decisions"):
        yield wanted(one, "name"), _decision(one)


def _assigned(part: Element) -> tuple[str, Value]:
    reference, operator = wanted(part, "assignToReference"), wanted(part, "operator")
    if not reference.lower().startswith(RECORD) or operator != "Assign":
        raise ValueError(f"this org assigns to fields of the record only, not {reference}")
    value = part.find(f"{NAMESPACE}value")
    text = None if value is None else value.findtext(f"{NAMESPACE}stringValue")
    if text is None:
        raise ValueError(f"this org assigns text only, to {reference}")
    return reference[len(RECORD) :], text or None


def _decision(one: Element) -> Decision:
    rules = one.findall(f"{NAMESPACE}rules")
    conditions = [part for rule in rules for part in rule.findall(f"{NAMESPACE}conditions")]
    if len(rules) != 1 or len(conditions) != 1:
        raise ValueError("this org decides by one rule with one condition")
    (rule,), (condition,) = rules, conditions
    reference = wanted(condition, "leftValueReference")
    right = condition.find(f"{NAMESPACE}rightValue")
    if not reference.lower().startswith(PERMISSION) or right is None:
        raise ValueError(f"this org decides by custom permissions only, not {reference}")
    if wanted(condition, "operator") != "EqualTo":
        raise ValueError("this org compares by EqualTo only")
    permission = reference[len(PERMISSION) :]
    is_wanted = flag(right, "booleanValue")
    return Decision(permission, is_wanted, _target(rule), _target(one, "defaultConnector"))


def _target(element: Element, connector: str = "connector") -> str:
    found = element.find(f"{NAMESPACE}{connector}")
    return END if found is None else wanted(found, "targetReference")


def _refuse_loose_ends(flow: Flow) -> None:
    targets = [flow.first, *(one for step in flow.steps.values() for one in _after(step))]
    if lost := {one for one in targets if one != END} - flow.steps.keys():
        raise ValueError(f"The flow has no element {min(lost)}")
    if _runs_in_circles(flow):
        raise ValueError("this org runs no flow that goes round in circles")


def _runs_in_circles(flow: Flow) -> bool:
    def leads_back(name: str, passed: frozenset[str]) -> bool:
        if name == END:
            return False
        if name in passed:
            return True
        return any(leads_back(one, passed | {name}) for one in _after(flow.steps[name]))

    return leads_back(flow.first, frozenset())


def _after(step: Assignment | Decision) -> list[str]:
    return [step.then] if isinstance(step, Assignment) else [step.then, step.otherwise]
