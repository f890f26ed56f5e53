"""The subject of a Case, from the org to the rules that ask for it."""

import pytest
from django.conf import settings

from classifier.deciding import decide_waiting
from classifier.engine.rulelang import parse, to_json
from classifier.models import Decision, KeywordRule, Transcript
from sfsync.pulling import pull_changed
from tests import factories as make

pytestmark = pytest.mark.django_db


def a_rule_asks(category, typed):
    KeywordRule.objects.create(
        name=category, category=make.make_category(category), expression=to_json(parse(typed)),
        is_certain=True,
    )  # fmt: skip


@pytest.fixture
def two_rules():
    a_rule_asks("Cards", '"card" in subject')
    a_rule_asks("Parcels", '"parcel" in body')


def decided(gateway, case_id):
    pull_changed(gateway)
    decide_waiting(limit=settings.DECIDE_BATCH)
    standing = Decision.objects.standing().get(transcript__thread=case_id)
    return standing.category and standing.category.code


@pytest.mark.parametrize(
    ("subject", "words", "code"),
    [
        ("My card", "It does not work.", "cards"),
        ("It does not work", "My card is broken.", None),
        ("My card", "My card\nIt does not work.", "cards"),
        ("Hello", "Where is my parcel?", "parcels"),
        ("Where is my parcel?", "It is late.", None),
    ],
)
def test_rules_tell_the_subject_of_a_case_from_its_body(
    two_rules, gateway, open_case, subject, words, code
):
    case_id = open_case(words, subject=subject)

    assert decided(gateway, case_id) == code


def test_a_case_that_is_all_subject_is_found_there(two_rules, gateway, open_case):
    case_id = open_case("", subject="My card does not work")

    assert decided(gateway, case_id) == "cards"


def test_where_the_description_goes_on_in_the_same_line_there_is_no_subject(
    two_rules, gateway, open_case
):
    case_id = open_case("My card does not work.", subject="My card")

    assert decided(gateway, case_id) is None
    (turn,) = Transcript.objects.current().get(thread=case_id).turns
    assert turn["text"] == "My card does not work."
