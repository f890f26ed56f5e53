"""Formulas of rules and flows, worked out for a row that is being saved."""

import pytest

from sfsync.local_org.formulas import Formula, Saving

BEFORE = {"Reason": "billing", "Source": "Model", "Note": None}


def holds(text: str, *permissions: str, before: dict | None = BEFORE, **after: object) -> bool:
    values = {**(before or {}), **after}
    return Formula.parse(text).holds(Saving(before, values, permissions))


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("ISCHANGED(Reason)", {"Reason": "delivery"}),
        ("ISCHANGED({!$Record.Reason})", {"Reason": None}),
        ('PRIORVALUE(Reason) = "billing"', {"Reason": "delivery"}),
        ('Reason = "delivery"', {"Reason": "delivery"}),
        ('Reason <> "billing" && NOT(ISBLANK(Reason))', {"Reason": "delivery"}),
        ('ISPICKVAL(Reason, "billing")', {}),
        ("ISBLANK(TEXT(Note))", {}),
        ('Note = ""', {}),
        ("OR(ISCHANGED(Source), ISCHANGED(Reason))", {"Reason": "delivery"}),
        ("IF(ISBLANK(Note), TRUE, FALSE)", {}),
        ("AND($Permission.Ours, ISCHANGED(Reason))", {"Reason": "delivery"}),
        ("!(ISCHANGED(Reason) || ISCHANGED(Source))", {}),
    ],
)
def test_what_is_true(text, changed):
    assert holds(text, "Ours", **changed)


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("ISCHANGED(Reason)", {"Reason": "billing"}),
        ("ISNEW()", {}),
        ("AND($Permission.Others, ISCHANGED(Reason))", {"Reason": "delivery"}),
        ('PRIORVALUE(Reason) = "delivery"', {"Reason": "delivery"}),
        ("Reason", {}),
    ],
)
def test_what_is_not(text, changed):
    assert not holds(text, "Ours", **changed)


def test_nothing_has_changed_on_a_new_row():
    assert not holds("ISCHANGED(Reason)", before=None, Reason="billing")
    assert holds('ISNEW() && PRIORVALUE(Reason) = "billing"', before=None, Reason="billing")


def test_a_formula_tells_what_it_names():
    formula = Formula.parse("AND($Permission.Ours, ISCHANGED(Reason), NOT(ISBLANK(Note)))")

    assert (formula.fields, formula.permissions) == ({"Reason", "Note"}, {"Ours"})


@pytest.mark.parametrize(
    "text",
    [
        "ISCHANGED(Reason",
        "ISCHANGED()",
        "AND(,)",
        "VLOOKUP(Reason)",
        "Reason =",
        "Reason Source",
        "Account.Name",
        "1 + 1",
        "",
        "ISNEW(Reason)",
    ],
)
def test_what_this_org_does_not_understand_is_refused(text):
    with pytest.raises(ValueError, match=r"\S"):
        Formula.parse(text)
