"""A source package is deployed as a whole, or refused with every reason."""

from pathlib import Path

import pytest

from sfsync.local_org.deploying import DeployFailed
from sfsync.local_org.schema import Kind
from sfsync.local_org.state import OWN_FIELDS

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
NAMESPACE = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
VALUES = (
    "<valueSet><restricted>true</restricted><valueSetDefinition><sorted>false</sorted>"
    "<value><fullName>billing</fullName><default>false</default><label>Billing</label></value>"
    "<value><fullName>refund</fullName><default>false</default><label>Refund</label></value>"
    "</valueSetDefinition></valueSet>"
)
FIELDS = {
    "Contact_Reason__c": f"<trackHistory>true</trackHistory><type>Picklist</type>{VALUES}",
    "Contact_Reasons__c": (
        f"<type>MultiselectPicklist</type><visibleLines>4</visibleLines>{VALUES}"
    ),
    "Contact_Reason_Confidence__c": (
        "<precision>5</precision><scale>2</scale><type>Percent</type>"
    ),
    "Contact_Reason_Evidence__c": (
        "<length>32768</length><type>LongTextArea</type><visibleLines>5</visibleLines>"
    ),
    "Contact_Reason_Model__c": "<length>255</length><type>Text</type>",
    "Contact_Reason_At__c": "<type>DateTime</type>",
}


def field(name: str, inside: str) -> str:
    head = f"<fullName>{name}</fullName><label>{name[:-3].replace('_', ' ')}</label>"
    return f"{HEAD}<CustomField {NAMESPACE}>{head}{inside}</CustomField>"


def permission_set(*names: str, editable: str = "true", readable: str = "true") -> str:
    inside = "".join(
        f"<fieldPermissions><editable>{editable}</editable><field>Case.{name}</field>"
        f"<readable>{readable}</readable></fieldPermissions>"
        for name in names
    )
    return (
        f"{HEAD}<PermissionSet {NAMESPACE}><label>Contact Reason</label>"
        f"{inside}</PermissionSet>"
    )


def write(folder: Path, name: str, text: str) -> None:
    path = folder / "force-app" / "main" / "default" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def package(tmp_path):
    for name, inside in FIELDS.items():
        write(tmp_path, f"objects/Case/fields/{name}.field-meta.xml", field(name, inside))
    write(
        tmp_path,
        "permissionsets/Contact_Reason.permissionset-meta.xml",
        permission_set(*FIELDS),
    )
    return tmp_path


def problems(org, package):
    with pytest.raises(DeployFailed) as failed:
        org.deploy(package)
    return failed.value.problems


def test_a_package_brings_fields_that_nobody_sees_until_assigned(sf, org, package):
    deployed = org.deploy(package)
    before = {one["name"] for one in sf.Case.describe()["fields"]}

    org.assign("Contact_Reason")

    after = {one["name"]: one for one in sf.Case.describe()["fields"]}
    assert set(deployed.fields) == {f"Case.{name}" for name in FIELDS}
    assert deployed.permission_sets == ("Contact_Reason",)
    assert not before & set(FIELDS)
    assert set(FIELDS) <= set(after)
    values = [one["value"] for one in after["Contact_Reason__c"]["picklistValues"]]
    assert values == ["billing", "refund"]
    assert after["Contact_Reason__c"]["restrictedPicklist"] is True


def test_a_deployed_field_keeps_its_kind_length_and_history(org, package):
    org.deploy(package)

    case = org.sobject("Case")
    assert case.find("Contact_Reason__c").is_tracked
    assert case.find("Contact_Reasons__c").kind is Kind.MULTIPICKLIST
    assert case.find("Contact_Reason_Confidence__c").scale == 2
    assert case.find("Contact_Reason_Evidence__c").length == 32768


def test_a_later_package_adds_values_to_a_picklist(sf, org, package):
    org.deploy(package)
    org.assign("Contact_Reason")
    third = VALUES.replace(
        "</valueSetDefinition>",
        "<value><fullName>damage</fullName><default>false</default><label>D</label></value>"
        "</valueSetDefinition>",
    )
    write(
        package,
        "objects/Case/fields/Contact_Reason__c.field-meta.xml",
        field("Contact_Reason__c", f"<type>Picklist</type>{third}"),
    )

    org.deploy(package)

    fields = {one["name"]: one for one in sf.Case.describe()["fields"]}
    values = [one["value"] for one in fields["Contact_Reason__c"]["picklistValues"]]
    assert values == ["billing", "refund", "damage"]


@pytest.mark.parametrize(
    ("inside", "words"),
    [
        ("<type>Text</type>", "Required field is missing: length"),
        ("<length>256</length><type>Text</type>", "length must be 1 to 255, not 256"),
        ("<length>32768</length><type>LongTextArea</type>", "missing: visibleLines"),
        ("<precision>19</precision><scale>2</scale><type>Percent</type>", "precision must be"),
        (f"<type>MultiselectPicklist</type>{VALUES}", "missing: visibleLines"),
        ("<type>Picklist</type>", "needs a valueSet"),
        (f"<type>Picklist</type>{VALUES.replace('refund', 'billing')}", "Duplicate value"),
        (f"<type>Picklist</type>{VALUES.replace('refund', 'a;b')}", "semicolon"),
        (f"<type>Picklist</type>{VALUES.replace('refund', 'x' * 256)}", "longer than 255"),
        ("<trackHistory>yes</trackHistory><type>DateTime</type>", "true or false"),
        ("<type>Geolocation</type>", "type not known"),
    ],
)
def test_a_field_that_a_real_org_refuses_is_refused_with_the_reason(
    org, tmp_path, inside, words
):
    write(tmp_path, "objects/Case/fields/X__c.field-meta.xml", field("X__c", inside))

    [problem] = problems(org, tmp_path)

    assert "X__c.field-meta.xml" in problem
    assert words in problem


def test_nothing_is_deployed_where_one_file_is_wrong(org, package):
    write(package, "objects/Case/fields/Bad__c.field-meta.xml", field("Bad__c", ""))

    problems(org, package)

    assert org.sobject("Case").find("Contact_Reason__c") is None
    assert list(org.access.permission_sets) == [OWN_FIELDS]


def test_a_permission_for_a_field_that_is_not_there_is_refused(org, package):
    write(
        package,
        "permissionsets/Other.permissionset-meta.xml",
        permission_set("Contact_Reason__c", "Missing__c"),
    )

    assert problems(org, package) == [
        "Other: In field: field - no CustomField named Case.Missing__c found"
    ]


def test_what_may_be_edited_must_be_readable(org, package):
    text = permission_set("Contact_Reason__c", readable="false")
    write(package, "permissionsets/Other.permissionset-meta.xml", text)

    assert "without being readable" in problems(org, package)[0]


def test_a_layout_may_name_only_fields_that_are_there(org, package):
    layout = (
        f"{HEAD}<Layout {NAMESPACE}><layoutSections><layoutColumns><layoutItems>"
        "<field>Contact_Reasonn__c</field></layoutItems></layoutColumns></layoutSections></Layout>"
    )
    write(package, "layouts/Case-Case Layout.layout-meta.xml", layout)

    assert "Contact_Reasonn__c" in problems(org, package)[0]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("flows/Guard.flow-meta.xml", f"{HEAD}<Flow {NAMESPACE}/>"),
        ("objects/Case/fields/X__c.field-meta.xml", "<CustomField"),
        (
            "objects/Case/fields/X__c.field-meta.xml",
            '<!DOCTYPE x [<!ENTITY e "boom">]><CustomField>&e;</CustomField>',
        ),
        ("objects/Kase/fields/X__c.field-meta.xml", field("X__c", "<type>Date</type>")),
        ("objects/Case/fields/Y__c.field-meta.xml", field("X__c", "<type>Date</type>")),
        ("objects/Case/fields/X.field-meta.xml", field("X", "<type>Date</type>")),
    ],
)
def test_source_that_makes_no_sense_here_is_refused(org, tmp_path, name, text):
    write(tmp_path, name, text)

    assert len(problems(org, tmp_path)) == 1


def test_a_folder_without_source_is_refused(org, tmp_path):
    assert "no source" in problems(org, tmp_path)[0]
