"""Every list page of the admin, whatever it lists."""

from collections.abc import Callable

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask
from rest_framework.authtoken.models import Token, TokenProxy

from classifier.models import (
    Category,
    Comparison,
    Decision,
    Errand,
    Feedback,
    GoldLabel,
    KeywordRule,
    ModelVersion,
    Review,
    Transcript,
    Trust,
)
from sfsync.models import (
    Assessment,
    Backfill,
    CaseLink,
    Connection,
    Doorbell,
    FieldMapping,
    Notice,
    Reconciliation,
    Source,
    WriteBack,
)
from tests import factories as make

pytestmark = pytest.mark.django_db


def make_decision() -> object:
    leaf = make.make_category(parent=make.make_category(parent=make.make_category()))
    return make.make_decision(category=leaf, model_version=make.make_model_version())


def make_schedule() -> object:
    every = IntervalSchedule.objects.create(
        every=len(PeriodicTask.objects.all()) + 7, period="days"
    )
    return PeriodicTask.objects.create(name=f"Every {every}", task="x", interval=every)


def make_member() -> object:
    user = make.make_user()
    user.groups.add(make.make_group())
    return user


MAKERS: dict[type, Callable[[], object]] = {
    CaseLink: make.make_case_link,
    Category: lambda: make.make_category_mapping(
        category=make.make_category(parent=make.make_category())
    ),
    Comparison: lambda: make.make_comparison(champion=make.make_model_version()),
    CrontabSchedule: lambda: CrontabSchedule.objects.create(
        minute=str(CrontabSchedule.objects.count())
    ),
    Decision: make_decision,
    Doorbell: make.make_ring,
    Errand: lambda: make.make_errand(asked_by=make.make_user()),
    Feedback: lambda: make.make_feedback(
        category=make.make_category(parent=make.make_category())
    ),
    GoldLabel: make.make_gold_label,
    Group: make.make_group,
    IntervalSchedule: make_schedule,
    KeywordRule: lambda: make.make_rule(
        category=make.make_category(parent=make.make_category())
    ),
    ModelVersion: make.make_model_version,
    Notice: make.make_notice,
    PeriodicTask: make_schedule,
    Reconciliation: make.make_reconciliation,
    Review: make.make_review,
    Source: make.make_source,
    TokenProxy: lambda: Token.objects.create(user=make.make_user()),
    Transcript: make.make_transcript,
    Trust: make.make_trust,
    User: make_member,
    WriteBack: make.make_write_back,
}
FIXED = {Assessment, Backfill, Connection, FieldMapping}
"""One row at most or at a time, one per slot, or a page of their own: their lists cannot grow."""
NO_ROWS_FIRST = [
    model for model in MAKERS if model not in {User, Group, PeriodicTask, IntervalSchedule}
]


def address(model: type) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def queries(client, model: type) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(address(model)).status_code == 200
    return len(captured)


@pytest.fixture
def administrator(client):
    client.force_login(make.make_administrator())
    return client


def test_every_list_page_is_looked_at_here():
    assert set(admin.site._registry) == set(MAKERS) | FIXED


@pytest.mark.parametrize("model", MAKERS, ids=lambda model: model.__name__)
def test_a_list_asks_no_more_for_more_rows(administrator, model):
    for _ in range(3):
        MAKERS[model]()
    few = queries(administrator, model)
    for _ in range(9):
        MAKERS[model]()

    assert queries(administrator, model) == few


@pytest.mark.parametrize("model", FIXED, ids=lambda model: model.__name__)
def test_a_list_that_cannot_grow_opens(administrator, model):
    make.make_connection()

    assert queries(administrator, model) < 20


@pytest.mark.parametrize("model", NO_ROWS_FIRST, ids=lambda model: model.__name__)
def test_an_empty_list_says_what_to_do_next(administrator, model):
    model._default_manager.all().delete()

    shown = administrator.get(address(model)).content.decode()

    assert "Nothing here yet" in shown
    assert admin.site._registry[model].when_empty


def test_a_list_that_is_empty_only_for_its_filter_says_so(administrator):
    make.make_category("Refund")

    shown = administrator.get(address(Category), {"q": "nothing like it"}).content.decode()

    assert "Nothing matches" in shown


def test_conversations_without_a_channel_are_found_under_a_name(administrator):
    make.make_transcript("I rang you.", channel="Phone")
    make.make_transcript("It came in a file.", channel="")

    everything = administrator.get(address(Transcript)).content.decode()
    untold = administrator.get(address(Transcript), {"channel": ""}).content.decode()

    assert "not told" in everything
    assert "It came in a file." in untold
    assert "I rang you." not in untold


@pytest.mark.parametrize(
    "model",
    [
        CaseLink,
        Decision,
        Errand,
        Feedback,
        GoldLabel,
        ModelVersion,
        Notice,
        Transcript,
        WriteBack,
    ],
    ids=lambda model: model.__name__,
)
def test_rows_that_the_machine_makes_cannot_be_edited(administrator, model):
    MAKERS[model]()
    row = model._default_manager.first()
    change = reverse(
        f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[row.pk]
    )

    page = administrator.get(change, follow=True)

    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()
    assert administrator.get(address(model) + "add/").status_code == 403
    assert administrator.post(change.replace("change", "delete")).status_code == 403
