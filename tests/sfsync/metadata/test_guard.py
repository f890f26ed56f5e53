"""The guard, deployed into an org as we write it: who may change a reason, by which way."""

from pathlib import Path

import pytest
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceMalformedRequest

from sfsync import guard
from sfsync.credentials import Credentials, connect
from sfsync.field_map import Slot
from sfsync.local_org.deploying import DeployFailed
from sfsync.local_org.door import InProcessDoor
from sfsync.local_org.org import LocalOrg
from sfsync.local_org.records import Record, Said
from sfsync.models import FieldMapping
from sfsync.transport import open_session
from tests.classifier.making import a_category
from tests.sfsync.management.test_salesforce_metadata import INTEGRATION, write
from tests.sfsync.pushing.conftest import CODES

REASON, SOURCE = "Contact_Reason__c", "Contact_Reason_Source__c"
BASE = "/services/data/v66.0"


@pytest.fixture
def package(tmp_path: Path, categories: None) -> Path:
    write(tmp_path / "package")
    return tmp_path / "package"


@pytest.fixture
def categories(db: None) -> None:
    for code in CODES:
        parent, _, _ = code.rpartition(".")
        a_category(code, code.title(), parent=a_category(parent) if parent else None)


@pytest.fixture
def org(package: Path) -> LocalOrg:
    org = LocalOrg()
    org.deploy(package)
    org.assign(INTEGRATION)
    return org


@pytest.fixture
def case_id(org: LocalOrg) -> str:
    (case_id,) = org.load([Record("one", (Said("customer", "Help"),), "web")])
    return case_id


@pytest.fixture
def ours(org: LocalOrg) -> Salesforce:
    """The client as our user."""
    app = org.app
    secret = Credentials("acme.my", app.client_id, client_secret=app.client_secret)
    return connect(secret, open_session(InProcessDoor(org)))


def on_case(org: LocalOrg, case_id: str, *names: str) -> list[object]:
    row = org.row("Case", case_id)
    return [row.get(name) for name in names]


def by_row(sf: Salesforce, case_id: str, fields: dict[str, object]) -> dict[str, object]:
    try:
        sf.restful(f"sobjects/Case/{case_id}", method="PATCH", json=fields)
    except SalesforceMalformedRequest as refused:
        return refused.content[0]
    return {}


def by_collection(sf: Salesforce, case_id: str, fields: dict[str, object]) -> dict[str, object]:
    record = {"attributes": {"type": "Case"}, "id": case_id, **fields}
    (row,) = sf.restful("composite/sobjects", method="PATCH", json={"records": [record]})
    error = row["errors"][0] if row["errors"] else {}
    return {**error, "errorCode": error["statusCode"]} if error else {}


def by_composite(sf: Salesforce, case_id: str, fields: dict[str, object]) -> dict[str, object]:
    part = {
        "method": "PATCH",
        "url": f"{BASE}/sobjects/Case/{case_id}",
        "referenceId": "it",
        "httpHeaders": {"Sforce-Auto-Assign": "FALSE"},
        "body": fields,
    }
    body = {"compositeRequest": [part]}
    (told,) = sf.restful("composite", method="POST", json=body)["compositeResponse"]
    return told["body"][0] if told["body"] else {}


WAYS = [by_row, by_collection, by_composite]


def test_a_persons_edit_of_a_reason_is_stamped_before_it_is_saved(org, case_id):
    org.people.change_reason(case_id, "billing")

    assert on_case(org, case_id, REASON, SOURCE) == ["billing", guard.STAMP]


def test_a_persons_edit_of_another_field_is_not_stamped(org, case_id):
    org.people.edit_case(case_id, {"Priority": "High"})

    assert on_case(org, case_id, SOURCE) == [None]


@pytest.mark.parametrize("write", WAYS)
def test_our_write_leaves_the_guards_mark(org, ours, case_id, write):
    sent = {REASON: "billing", SOURCE: "Model", guard.FIELD: None}

    assert write(ours, case_id, sent) == {}

    slots = {row.field: Slot(row.slot) for row in FieldMapping.objects.active()}
    assert on_case(org, case_id, SOURCE, guard.FIELD) == ["Model", guard.mark_of(slots)]


@pytest.mark.parametrize("write", WAYS)
@pytest.mark.parametrize(
    "fields",
    [
        {REASON: "delivery", SOURCE: "Model"},
        {"Contact_Reasons__c": "delivery"},
        {SOURCE: "Needs review"},
    ],
)
def test_our_change_of_what_a_person_set_is_refused_by_every_way(
    org, ours, case_id, write, fields
):
    org.people.change_reason(case_id, "billing")

    refused = write(ours, case_id, fields)

    assert refused["errorCode"] == "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    assert refused["message"] == guard.MESSAGE
    assert refused["fields"] == [SOURCE]
    assert on_case(org, case_id, REASON, SOURCE) == ["billing", guard.STAMP]


def test_one_refused_row_leaves_the_others_of_the_call_alone(org, ours, case_id):
    (other,) = org.load([Record("two", (Said("customer", "Help"),), "web")])
    org.people.change_reason(case_id, "billing")
    head = {"attributes": {"type": "Case"}, REASON: "delivery"}

    rows = ours.restful(
        "composite/sobjects",
        method="PATCH",
        json={"records": [{**head, "id": one} for one in (case_id, other)]},
    )

    assert [row["success"] for row in rows] == [False, True]


def test_other_fields_of_a_stamped_case_stay_ours_to_write(org, ours, case_id):
    org.people.change_reason(case_id, "billing")

    assert by_row(ours, case_id, {"Contact_Reason_Evidence__c": "Said so."}) == {}


def test_taking_the_stamp_away_opens_the_case_again(org, ours, case_id):
    org.people.change_reason(case_id, "billing")

    assert by_row(ours, case_id, {SOURCE: None}) == {}
    assert by_row(ours, case_id, {REASON: "delivery", SOURCE: "Model"}) == {}

    assert on_case(org, case_id, REASON, SOURCE) == ["delivery", "Model"]


def test_taking_the_stamp_away_together_with_a_reason_is_refused(org, ours, case_id):
    org.people.change_reason(case_id, "billing")

    assert by_row(ours, case_id, {SOURCE: None, REASON: "delivery"})["fields"] == [SOURCE]


def test_a_user_without_the_permission_is_a_person_to_the_guard(org, ours, case_id):
    org.access.unassign(org.founders.integration, INTEGRATION)
    org.access.grant(org.founders.integration, "Case", [REASON, SOURCE])

    by_row(ours, case_id, {REASON: "billing", SOURCE: "Model"})

    assert on_case(org, case_id, SOURCE, guard.FIELD) == [guard.STAMP, None]


def test_an_inactive_flow_neither_stamps_nor_leaves_a_mark(org, ours, case_id, package):
    (path,) = package.rglob("*.flow-meta.xml")
    path.write_text(path.read_text().replace("<status>Active<", "<status>Draft<"))
    org.deploy(package)

    by_row(ours, case_id, {REASON: "billing", SOURCE: "Model"})
    org.people.change_reason(case_id, "delivery")

    assert on_case(org, case_id, SOURCE, guard.FIELD) == ["Model", None]


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("flow", "RecordBeforeSave", "RecordAfterSave"),
        ("flow", "<assignments>", "<recordUpdates><name>x</name></recordUpdates><assignments>"),
        ("flow", "<targetReference>Stamp_their_edit", "<targetReference>Nowhere"),
        ("flow", "$Record.Contact_Reason_Source__c", "$Record.Nothing__c"),
        ("flow", f"$Permission.{guard.PERMISSION}", "$Permission.Nothing"),
        ("validationRule", "PRIORVALUE(", "VLOOKUP("),
        ("validationRule", "ISCHANGED(Contact_Reason__c)", "ISCHANGED(Nothing__c)"),
        ("customPermission", "<label>Contact Reason Automation</label>", ""),
    ],
)
def test_what_the_org_could_not_enforce_is_refused_when_deployed(package, kind, old, new):
    (path,) = package.rglob(f"*.{kind}-meta.xml")
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))

    with pytest.raises(DeployFailed):
        LocalOrg().deploy(package)


def test_the_mark_tells_which_fields_are_watched():
    slots = {REASON: Slot.PRIMARY, SOURCE: Slot.SOURCE}

    assert guard.mark_of(slots) != guard.mark_of(slots | {"Other__c": Slot.LEVEL_1})
    assert guard.mark_of(slots) == guard.mark_of({**slots, "Why__c": Slot.EVIDENCE})
    assert guard.mark_of({REASON: Slot.PRIMARY}) == ""
