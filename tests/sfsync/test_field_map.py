from datetime import UTC, datetime, timedelta, timezone

import pytest

from sfsync.field_map import CategoryBook, Decided, fitted, is_same, said, to_fields, writable
from sfsync.models import FieldMapping, Mode

Slot = FieldMapping.Slot

BOOK = CategoryBook(
    labels={
        "billing": "Billing",
        "billing.refund": "Refund",
        "delivery": "Delivery",
        "delivery.late": "Late",
    },
    parents={"billing.refund": "billing", "delivery.late": "delivery"},
)
DEFAULTS = {
    Slot.PRIMARY: "Contact_Reason__c",
    Slot.ALL_REASONS: "Contact_Reasons__c",
    Slot.SUGGESTION: "Contact_Reason_Suggestion__c",
    Slot.CONFIDENCE: "Contact_Reason_Confidence__c",
    Slot.SOURCE: "Contact_Reason_Source__c",
    Slot.EVIDENCE: "Contact_Reason_Evidence__c",
    Slot.MODEL: "Contact_Reason_Model__c",
    Slot.DECIDED_AT: "Contact_Reason_At__c",
}
LEVELS = {Slot.LEVEL_1: "L1__c", Slot.LEVEL_2: "L2__c", Slot.LEVEL_3: "L3__c"}
MOMENT = datetime(2026, 3, 2, 14, 0, 0, 700_000, tzinfo=timezone(timedelta(hours=2)))


def mapping(slots: dict[Slot, str] = DEFAULTS, **paused: str) -> list[FieldMapping]:
    return [
        FieldMapping(slot=slot, field=name, paused_because=paused.get(name, ""))
        for slot, name in slots.items()
    ]


def decided(*codes: str, source: str = "Model", confidence: float | None = 0.91234) -> Decided:
    return Decided(codes, source, confidence, "because", "model 3, rules 1a2b3c4d", MOMENT)


def test_a_decision_fills_every_default_field():
    fields = to_fields(
        decided("billing.refund", "delivery.late"), mapping(), BOOK, Mode.AUTOMATIC
    )

    assert fields == {
        "Contact_Reason__c": "billing.refund",
        "Contact_Reasons__c": "billing.refund;delivery.late",
        "Contact_Reason_Suggestion__c": "billing.refund",
        "Contact_Reason_Confidence__c": 91.23,
        "Contact_Reason_Source__c": "Model",
        "Contact_Reason_Evidence__c": "because",
        "Contact_Reason_Model__c": "model 3, rules 1a2b3c4d",
        "Contact_Reason_At__c": "2026-03-02T12:00:00Z",
    }


def test_suggest_mode_fills_the_suggestion_alone():
    fields = to_fields(decided("billing.refund"), mapping(), BOOK, Mode.SUGGEST)

    assert fields == {"Contact_Reason_Suggestion__c": "billing.refund"}


def test_shadow_mode_fills_nothing():
    assert to_fields(decided("billing.refund"), mapping(), BOOK, Mode.SHADOW) == {}


def test_an_abstention_asks_for_a_review_and_leaves_the_reasons_alone():
    unsure = decided(source="Needs review", confidence=None)

    fields = to_fields(unsure, mapping(), BOOK, Mode.AUTOMATIC)

    assert fields["Contact_Reason_Source__c"] == "Needs review"
    assert not fields.keys() & {
        "Contact_Reason__c",
        "Contact_Reasons__c",
        "Contact_Reason_Suggestion__c",
    }


def test_an_abstention_suggests_nothing():
    assert to_fields(decided(), mapping(), BOOK, Mode.SUGGEST) == {}


def test_a_dropped_mapping_row_drops_its_field():
    rows = mapping({Slot.PRIMARY: "Reason_Code__c"})

    fields = to_fields(decided("billing.refund"), rows, BOOK, Mode.AUTOMATIC)

    assert fields == {"Reason_Code__c": "billing.refund"}


def test_the_orgs_own_value_goes_in_place_of_the_code():
    book = CategoryBook(BOOK.labels, BOOK.parents, values={"billing.refund": "Money back"})

    fields = to_fields(
        decided("delivery.late", "billing.refund"), mapping(), book, Mode.AUTOMATIC
    )

    assert fields["Contact_Reasons__c"] == "delivery.late;Money back"


def test_a_further_reason_that_is_not_automatic_itself_is_left_out():
    book = CategoryBook(BOOK.labels, BOOK.parents, modes={"delivery.late": Mode.SUGGEST})

    fields = to_fields(
        decided("billing.refund", "delivery.late"), mapping(), book, Mode.AUTOMATIC
    )

    assert fields["Contact_Reasons__c"] == "billing.refund"


def test_each_level_has_a_field_of_its_own_and_deeper_ones_are_blanked():
    fields = to_fields(decided("billing.refund"), mapping(LEVELS), BOOK, Mode.AUTOMATIC)

    assert fields == {"L1__c": "billing", "L2__c": "billing.refund", "L3__c": None}


def test_one_level_that_cannot_be_written_takes_all_levels_out():
    rows = mapping({Slot.SOURCE: "Source__c", **LEVELS}, L2__c="not ours")

    assert [row.field for row in writable(rows)] == ["Source__c"]


def test_another_paused_field_leaves_the_levels_in():
    rows = mapping({Slot.SOURCE: "Source__c", **LEVELS}, Source__c="not ours")

    assert [row.field for row in writable(rows)] == ["L1__c", "L2__c", "L3__c"]


@pytest.mark.parametrize(
    ("slot", "one", "other"),
    [
        (Slot.PRIMARY, None, ""),
        (Slot.ALL_REASONS, "a;b", "b;a"),
        (Slot.CONFIDENCE, 91.23, 91.230001),
        (Slot.CONFIDENCE, 91.0, 91),
        (Slot.DECIDED_AT, "2026-03-02T12:00:00Z", "2026-03-02T12:00:00.000+0000"),
        (Slot.EVIDENCE, "one\ntwo", "one\r\ntwo"),
    ],
)
def test_two_spellings_of_a_value_are_the_same(slot, one, other):
    assert is_same(slot, one, other)


@pytest.mark.parametrize(
    ("slot", "one", "other"),
    [
        (Slot.PRIMARY, "billing", "Billing"),
        (Slot.PRIMARY, "billing", None),
        (Slot.ALL_REASONS, "a;b", "a"),
        (Slot.CONFIDENCE, 91.23, 91.24),
        (Slot.DECIDED_AT, "2026-03-02T12:00:00Z", "2026-03-02T12:00:01Z"),
    ],
)
def test_two_values_differ(slot, one, other):
    assert not is_same(slot, one, other)


def test_a_long_text_is_cut_to_the_field_with_a_mark():
    assert fitted("reason " * 10, 20) == "reason reason reaso…"


def test_a_line_break_counts_twice_as_salesforce_counts_it():
    text = "a\nb\nc\nd"

    assert fitted(text, 10) == text
    assert len(fitted(text, 9).replace("\n", "\r\n")) <= 9


def test_numbers_and_unlimited_fields_are_never_cut():
    assert (fitted(91.2, 1), fitted("x" * 300, 0)) == (91.2, "x" * 300)


def test_a_primary_value_is_read_back_as_its_category():
    slots = {"Contact_Reason__c": Slot.PRIMARY, "Contact_Reasons__c": Slot.ALL_REASONS}

    word = said({"Contact_Reason__c": "delivery.late"}, slots, BOOK)

    assert (word.field, word.value, word.code) == (
        "Contact_Reason__c",
        "delivery.late",
        "delivery.late",
    )


def test_the_deepest_level_filled_is_what_the_person_means():
    slots = {"L1__c": Slot.LEVEL_1, "L2__c": Slot.LEVEL_2, "L3__c": Slot.LEVEL_3}

    word = said({"L1__c": "billing", "L2__c": "billing.refund", "L3__c": None}, slots, BOOK)

    assert (word.field, word.code) == ("L2__c", "billing.refund")


def test_a_suggestion_counts_where_no_reason_was_set():
    slots = {"Hint__c": Slot.SUGGESTION, "R__c": Slot.PRIMARY}

    word = said({"Hint__c": "delivery.late", "R__c": None}, slots, BOOK)

    assert (word.field, word.code) == ("Hint__c", "delivery.late")


def test_a_value_that_is_none_of_ours_has_no_category():
    word = said({"R__c": "Something else"}, {"R__c": Slot.PRIMARY}, BOOK)

    assert (word.value, word.code) == ("Something else", None)


def test_a_value_that_two_categories_share_names_neither():
    book = CategoryBook(BOOK.labels, BOOK.parents, values={"billing": "X", "delivery": "X"})

    assert book.code_of("X") is None


def test_an_emptied_field_says_nothing():
    word = said({"R__c": None}, {"R__c": Slot.PRIMARY}, BOOK)

    assert (word.field, word.value, word.code) == ("R__c", "", None)


def test_decision_times_are_written_in_utc_to_the_second():
    rows = mapping({Slot.DECIDED_AT: "At__c"})
    noon = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

    written = to_fields(decided("billing"), rows, BOOK, Mode.AUTOMATIC)["At__c"]

    assert datetime.fromisoformat(str(written)) == noon
