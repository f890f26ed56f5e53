import pytest

from sfsync.field_map import Slot
from sfsync.write_plan import Footprint, Step, planned

SLOTS = {
    "Reason": Slot.PRIMARY,
    "All": Slot.ALL_REASONS,
    "Hint": Slot.SUGGESTION,
    "Source": Slot.SOURCE,
    "Sure": Slot.CONFIDENCE,
    "Why": Slot.EVIDENCE,
}
BLANK = dict.fromkeys(SLOTS)
OURS = {"Reason": "a", "All": "a", "Source": "Model", "Sure": 90.0, "Why": "x"}
REVIEW = {"Source": "Needs review", "Why": "unsure"}


def plan(wanted, current, delivered=None, attempts=()):
    return planned(wanted, BLANK | current, Footprint(delivered or {}, attempts), SLOTS)


def test_a_blank_case_is_written_in_full():
    found = plan(OURS, {})

    assert (found.step, dict(found.send)) == (Step.WRITE, OURS)


def test_fields_that_hold_our_value_already_are_left_out():
    found = plan(OURS | {"Reason": "b", "All": "b;a"}, OURS, delivered=OURS)

    assert dict(found.send) == {"Reason": "b", "All": "b;a"}


@pytest.mark.parametrize(
    ("wanted", "current", "delivered", "attempts", "step"),
    [
        pytest.param(OURS, {"Reason": "z"}, {}, (), Step.CEDE, id="there before we came"),
        pytest.param(OURS, {"Reason": "a"}, {}, (), Step.CEDE, id="the same, but a person's"),
        pytest.param(OURS, {"All": "z"}, {}, (), Step.CEDE, id="in another reason field"),
        pytest.param(OURS, OURS | {"Reason": "z"}, OURS, (), Step.CEDE, id="changed later"),
        pytest.param(OURS, OURS | {"Reason": None}, OURS, (), Step.CEDE, id="emptied later"),
        pytest.param({"Hint": "a"}, {"Hint": "z"}, {}, (), Step.CEDE, id="their suggestion"),
        pytest.param({"Hint": "a"}, {"Reason": "z"}, {}, (), Step.CEDE, id="suggest, theirs"),
        pytest.param(OURS, OURS, OURS, (), Step.UNCHANGED, id="all as it was"),
        pytest.param(
            OURS | {"Sure": 80.0, "Why": "y"}, OURS, OURS, (), Step.UNCHANGED, id="only grounds"
        ),
        pytest.param(REVIEW, OURS, OURS, (), Step.UNCHANGED, id="unsure keeps the reason"),
        pytest.param(REVIEW, {}, {}, (), Step.WRITE, id="unsure from the start"),
        pytest.param(REVIEW, REVIEW, REVIEW, (), Step.UNCHANGED, id="unsure again"),
        pytest.param(OURS, REVIEW, REVIEW, (), Step.WRITE, id="sure at last"),
        pytest.param(
            OURS | {"Source": "Person"}, OURS, OURS, (), Step.WRITE, id="a reviewer agrees"
        ),
        pytest.param(
            OURS | {"Source": "Rules and model"}, OURS, OURS, (), Step.UNCHANGED, id="a rule too"
        ),
        pytest.param({}, {}, {}, (), Step.UNCHANGED, id="nothing to say"),
        pytest.param(OURS, OURS, {}, (OURS,), Step.LANDED, id="the lost answer had arrived"),
        pytest.param(OURS, {}, {}, (OURS,), Step.WRITE, id="the lost call had not arrived"),
        pytest.param(
            OURS | {"Reason": "b"}, OURS, {}, (OURS,), Step.WRITE, id="arrived, then outdated"
        ),
        pytest.param(OURS, {"Reason": "z"}, {}, (OURS,), Step.CEDE, id="lost, then a person"),
        pytest.param(
            OURS | {"All": "b;a"}, OURS | {"All": "a;b"}, OURS | {"All": "b;a"}, (),
            Step.UNCHANGED, id="another order",
        ),
    ],
)  # fmt: skip
def test_what_stands_on_the_case_decides_what_may_be_done(
    wanted, current, delivered, attempts, step
):
    assert plan(wanted, current, delivered, attempts).step is step


def test_a_ceded_case_names_the_fields_that_a_person_filled():
    assert plan(OURS, {"Reason": "z", "All": "z"}).foreign == ("Reason", "All")


def test_a_field_filled_by_the_org_that_is_no_reason_cedes_nothing():
    assert plan(OURS, {"Source": "Import", "Why": "z"}).step is Step.WRITE
