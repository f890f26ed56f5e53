import pytest

from sfsync.cases import FieldDescription, PicklistEntry, SObjectDescription
from sfsync.picklists import FieldsUnusable, Level, guessed, levels_of


def picklist(name: str, label: str = "", controller: str = "", values: str = "A B"):
    entries = tuple(PicklistEntry(value, value) for value in values.split())
    return FieldDescription(
        name,
        "picklist",
        255,
        is_updateable=True,
        is_restricted=True,
        picklist_values=tuple(entry.value for entry in entries),
        label=label or name,
        entries=entries,
        controller=controller,
    )


def case(*fields: FieldDescription) -> SObjectDescription:
    return SObjectDescription("Case", {field.name: field for field in fields})


def test_an_own_field_named_reason_is_guessed_before_the_standard_ones():
    org = case(picklist("Status"), picklist("Type"), picklist("Reason"), picklist("Reason__c"))

    assert guessed(org) == ("Reason__c",)


def test_the_label_tells_where_the_name_does_not():
    assert guessed(case(picklist("Type"), picklist("CR1__c", "Contact reason"))) == ("CR1__c",)


def test_a_dependent_picklist_brings_along_what_it_depends_on():
    org = case(
        picklist("Area__c"),
        picklist("Reason__c", controller="Area__c"),
        picklist("Reason_Detail__c", controller="Reason__c"),
    )

    assert guessed(org) == ("Area__c", "Reason__c", "Reason_Detail__c")


def test_fields_that_differ_by_their_last_digit_are_levels():
    org = case(picklist("Reason_2__c"), picklist("Reason_1__c"), picklist("Reason"))

    assert guessed(org) == ("Reason_1__c", "Reason_2__c")


def test_our_own_fields_hold_no_representatives_tags():
    org = case(picklist("Contact_Reason__c"), picklist("Type"))

    assert guessed(org, ours={"Contact_Reason__c"}) == ("Type",)


def test_a_picklist_without_a_choice_is_no_reason():
    with pytest.raises(FieldsUnusable, match="Name it: --fields"):
        levels_of(case(picklist("Reason", values="Other")), ())


def test_a_value_that_was_taken_out_of_the_list_is_inactive():
    level = Level("Reason", "Reason", {"A": "Apple", "B": "Bean"}, frozenset({"B"}))

    assert [level.is_inactive(value) for value in ("A", "B", "gone")] == [False, True, True]
    assert Level.from_dict(level.to_dict()) == level
