import json
from io import StringIO
from pathlib import Path
from xml.etree.ElementTree import parse

import pytest
from django.core.management import CommandError, call_command

from sfsync import guard
from sfsync.local_org.org import LocalOrg
from sfsync.models import FieldMapping
from sfsync.pushing import Delivery
from tests import factories as make
from tests.classifier.making import a_category
from tests.sfsync.pushing.conftest import CODES, Desk

INTEGRATION = "Contact_Reason_Integration"


def write(directory: Path, *options: str) -> dict[str, object]:
    out = StringIO()
    call_command(
        "salesforce_metadata", str(directory), *options, "--json", stdout=out, stderr=StringIO()
    )
    return json.loads(out.getvalue().splitlines()[-1])


def fields_in(directory: Path) -> set[str]:
    return {path.name.split(".")[0] for path in directory.rglob("*.field-meta.xml")}


@pytest.fixture
def categories(db: None) -> None:
    for code in CODES:
        parent, _, _ = code.rpartition(".")
        a_category(code, code.title(), parent=a_category(parent) if parent else None)


def test_the_package_deploys_and_its_fields_can_then_be_written(tmp_path, db):
    desk = Desk(LocalOrg())
    write(tmp_path / "package")
    desk.org.deploy(tmp_path / "package")
    desk.org.assign(INTEGRATION)
    desk.connect()
    link = desk.decided_case("billing.refund", "delivery.late")

    assert desk.push() == Delivery(written=1)

    assert desk.on_case(link) == "billing.refund"
    assert desk.on_case(link, "Contact_Reasons__c") == "billing.refund;delivery.late"
    assert desk.on_case(link, "Contact_Reason_Confidence__c") == 97.0


def test_an_org_with_a_picklist_per_level_gets_one_field_for_each(tmp_path, db):
    desk = Desk(LocalOrg())
    desk.use_levels("level_1", "level_2")
    write(tmp_path / "package")
    desk.org.deploy(tmp_path / "package")
    desk.org.assign(INTEGRATION)
    desk.connect()
    link = desk.decided_case("billing.refund")

    assert desk.push() == Delivery(written=1)

    assert desk.on_case(link, "Reason_Level_1__c") == "billing"
    assert desk.on_case(link, "Reason_Level_2__c") == "billing.refund"


def test_without_the_permission_set_nothing_is_written_and_nothing_lost(tmp_path, db):
    desk = Desk(LocalOrg())
    write(tmp_path / "package")
    desk.org.deploy(tmp_path / "package")
    desk.decided_case("billing")

    assert desk.push() == Delivery(held=1)


def test_every_file_is_well_formed_and_listed_in_the_manifest(tmp_path, categories):
    write(tmp_path / "package")

    files = [path for path in (tmp_path / "package").rglob("*.xml") if parse(path)]
    manifest = (tmp_path / "package/manifest/package.xml").read_text()

    fields, guard = 8, 4  # the guard: its own field, flow, rule and custom permission
    assert len(files) == fields + guard + 2 + 1 + 1
    assert all(f"Case.{name}" in manifest for name in fields_in(tmp_path))
    project = json.loads((tmp_path / "package/sfdx-project.json").read_text())
    assert project["sourceApiVersion"] == "66.0"
    assert (tmp_path / project["packageDirectories"][0]["path"]).name == "force-app"


def test_labels_in_every_script_survive(tmp_path, categories):
    a_category("zahlung", "Zahlung & <Rückgabe> 退款\x0b")

    write(tmp_path / "package")

    field = next((tmp_path / "package").rglob("Contact_Reason__c.field-meta.xml"))
    assert "Zahlung & <Rückgabe> 退款" in {
        element.text for element in parse(field).iter() if element.text
    }


def test_a_dropped_field_is_not_in_the_package(tmp_path, categories):
    FieldMapping.objects.filter(slot="model").update(is_active=False)

    write(tmp_path / "package")

    assert "Contact_Reason_Model__c" not in fields_in(tmp_path)


def test_a_second_run_replaces_what_the_first_one_wrote(tmp_path, categories):
    write(tmp_path / "package")
    FieldMapping.objects.filter(slot="model").delete()

    write(tmp_path / "package")

    assert "Contact_Reason_Model__c" not in fields_in(tmp_path)


def test_a_directory_with_other_files_is_refused(tmp_path, categories):
    (tmp_path / "thesis.txt").write_text("mine")

    with pytest.raises(CommandError, match="holds other files"):
        write(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_without_categories_the_command_says_what_to_do(tmp_path, db):
    with pytest.raises(CommandError, match="load_starter_pack"):
        write(tmp_path / "package")


def test_only_missing_without_an_org_writes_everything(tmp_path, categories):
    assert write(tmp_path / "package", "--only-missing")["fields"] == 8


def test_only_missing_writes_the_picklists_that_lack_a_new_category(
    tmp_path, categories, connected
):
    connected.deploy_contact_reason(CODES)
    a_category("returns", "Returns")

    written = write(tmp_path / "package", "--only-missing")

    assert fields_in(tmp_path) == {"Contact_Reason__c", "Contact_Reasons__c"}
    assert written["values"] == len(CODES) + 1


def test_the_difference_deploys_over_what_is_there(tmp_path, categories, connected):
    connected.deploy_contact_reason([*CODES, "an old value"])
    a_category("returns", "Returns")
    write(tmp_path / "package", "--only-missing")

    connected.deploy(tmp_path / "package")

    field = connected.sobject("Case").find("Contact_Reason__c")
    assert {value.value for value in field.values} == {*CODES, "an old value", "returns"}


def test_only_missing_has_nothing_to_write_where_nothing_is_missing(
    tmp_path, categories, connected
):
    connected.deploy_contact_reason(CODES)

    assert write(tmp_path / "package", "--only-missing")["files"] == 0
    assert not (tmp_path / "package").exists()


def test_only_missing_in_a_bare_org_writes_all_with_the_permission_sets(
    tmp_path, categories, connected
):
    write(tmp_path / "package", "--only-missing")

    connected.deploy(tmp_path / "package")
    assert INTEGRATION in connected.access.permission_sets
    assert len(fields_in(tmp_path) - {guard.FIELD}) == 8
    assert guard.NAME in connected.automations.flows


def test_messaging_objects_are_granted_only_when_asked_for(tmp_path, categories):
    write(tmp_path / "plain")
    write(tmp_path / "with", "--messaging")

    name = f"{INTEGRATION}.permissionset-meta.xml"
    plain, messaging = (next((tmp_path / each).rglob(name)) for each in ("plain", "with"))
    assert "MessagingSession" not in plain.read_text()
    assert "<object>MessagingSession</object>" in messaging.read_text()


def test_what_an_admins_own_sources_read_is_granted_except_the_lookup(tmp_path, categories):
    make.make_source(
        kind="object",
        sobject="Call_Note__c",
        case_field="Case__c",
        text_field="Words__c",
        time_field="CreatedDate",
    )
    make.make_source(kind="case_field", text_field="Call_Transcript__c")

    write(tmp_path, "--voice")

    (found,) = tmp_path.rglob("Contact_Reason_Integration.permissionset-meta.xml")
    text = found.read_text()
    assert "<object>Call_Note__c</object>" in text
    assert "<object>VoiceCall</object>" in text
    for field, is_there in (
        ("Call_Note__c.Words__c", True),
        ("Case.Call_Transcript__c", True),
        ("Call_Note__c.Case__c", False),
        ("Call_Note__c.CreatedDate", False),
    ):
        assert (f"<field>{field}</field>" in text) is is_there
    editable = text.split("<field>Case.Call_Transcript__c</field>")[0].rsplit("<editable>", 1)[
        1
    ]
    assert editable.startswith("false")


def test_without_the_guard_nothing_of_it_is_written(tmp_path, categories):
    written = write(tmp_path / "package", "--no-guard")

    assert written["guard"] is False
    assert not [path for path in tmp_path.rglob("*") if guard.NAME in path.name]
    (granted,) = tmp_path.rglob(f"{INTEGRATION}.permissionset-meta.xml")
    assert guard.PERMISSION not in granted.read_text()


def test_without_a_source_field_there_can_be_no_guard(tmp_path, categories):
    FieldMapping.objects.filter(slot=FieldMapping.Slot.SOURCE).update(is_active=False)

    assert write(tmp_path / "package")["guard"] is False


def test_the_manifest_lists_the_guard(tmp_path, categories):
    write(tmp_path)

    manifest = (tmp_path / "manifest/package.xml").read_text()
    for member in (
        f"Case.{guard.FIELD}",
        guard.NAME,
        f"Case.{guard.NAME}",
        guard.PERMISSION,
    ):
        assert f"<members>{member}</members>" in manifest
