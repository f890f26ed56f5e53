import pytest

from sfsync.cases import FieldDescription
from sfsync.field_map import CategoryBook, Slot
from sfsync.metadata.fields import MetadataProblem, entries_of

BOOK = CategoryBook(
    labels={"billing": "Billing", "billing.refund": "Refund", "delivery": "Delivery"},
    parents={"billing.refund": "billing"},
)
CODES = tuple(BOOK.labels)


def values(slot: Slot, book: CategoryBook = BOOK, **more: object) -> list[str]:
    return [entry.value for entry in entries_of(slot, CODES, book, **more)]


def test_every_category_becomes_a_value_with_its_whole_path_as_label():
    entries = entries_of(Slot.PRIMARY, CODES, BOOK)

    assert [(entry.value, entry.label) for entry in entries] == [
        ("billing", "Billing"),
        ("billing.refund", "Billing > Refund"),
        ("delivery", "Delivery"),
    ]


def test_a_level_holds_the_categories_of_its_depth_by_their_own_label():
    assert values(Slot.LEVEL_1) == ["billing", "delivery"]
    assert [entry.label for entry in entries_of(Slot.LEVEL_2, CODES, BOOK)] == ["Refund"]


def test_the_orgs_own_value_goes_in_place_of_the_code():
    book = CategoryBook(BOOK.labels, BOOK.parents, values={"billing": "Money"})

    assert values(Slot.PRIMARY, book) == ["Money", "billing.refund", "delivery"]


def test_two_categories_may_share_one_value():
    book = CategoryBook(
        BOOK.labels, BOOK.parents, values={"billing": "Money", "delivery": "Money"}
    )

    assert values(Slot.PRIMARY, book) == ["Money", "billing.refund"]


def test_values_that_the_org_has_stay_in_the_list():
    present = FieldDescription(
        "R__c", "picklist", 255, True, True, ("Something else", "billing")
    )

    assert values(Slot.PRIMARY, present=present) == [
        "Something else",
        "billing",
        "billing.refund",
        "delivery",
    ]


def test_a_text_field_has_no_values():
    assert values(Slot.SOURCE) == []


@pytest.mark.parametrize("value", ["a;b", "x" * 256])
def test_a_value_that_no_picklist_takes_is_refused(value):
    book = CategoryBook(BOOK.labels, BOOK.parents, values={"billing": value})

    with pytest.raises(MetadataProblem, match="cannot be a picklist value"):
        entries_of(Slot.ALL_REASONS, CODES, book)


def test_values_that_differ_only_in_capitals_are_refused():
    book = CategoryBook(BOOK.labels, BOOK.parents, values={"billing": "Delivery"})

    with pytest.raises(MetadataProblem, match="capitals"):
        entries_of(Slot.PRIMARY, CODES, book)


def test_more_categories_than_a_multi_select_holds_are_refused():
    many = CategoryBook(labels={f"c{number}": "C" for number in range(501)})

    with pytest.raises(MetadataProblem, match="501 categories"):
        entries_of(Slot.ALL_REASONS, many.labels, many)
