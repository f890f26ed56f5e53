import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from classifier.models import Errand
from sfsync.models import AssessedCase, Assessment
from sfsync.tasks import ERRANDS
from tests import factories as make

pytestmark = pytest.mark.django_db
PAGE = "admin:sfsync_assessment_changelist"
SHARE = {"count": 8, "of": 10, "share": 0.8, "low": 0.49, "high": 0.94}
NOTHING = {"count": 0, "of": 0, "share": None, "low": 0.0, "high": 1.0}


def make_assessment(**report) -> Assessment:
    prospects = [
        {"target": target, "threshold": 0.7, "automated": SHARE, "right": SHARE}
        for target in (0.9, 0.95)
    ]
    reason = {"path": ["Billing"], "values": ["BILL"], "have": 38, "more": 60}
    reason["at"] = [{"automated": SHARE, "right": NOTHING}] * 2
    figures = {
        "cases": 10,
        "prospects": prospects,
        "curve": [[0.5, 1.0], [1.0, 0.9]],
        "reasons": [reason],
        "mix_ups": [],
        "noise": 0.05,
        "doubtful": 2,
        "without_words": 0,
        "inactive": [],
        "languages": [["en", 10]],
        "channels": [["Web", 10]],
        "lengths": [[10, 4], [0, 6]],
        "median_words": 12,
    }
    level = {"field": "Reason__c", "label": "Reason", "labels": {"BILL": "Billing"}}
    assessment = Assessment.objects.create(
        fields=["Reason__c"],
        most=50_000,
        started_at=make.NOON,
        read_at=make.NOON,
        finished_at=make.NOON,
        seen=10,
        calls=3,
        levels=[{**level, "inactive": []}],
        report={**figures, **report},
    )
    for number, team in enumerate(("North", "South"), start=1):
        make_doubt(assessment, number, team)
    return assessment


def make_doubt(assessment, number, team):
    return AssessedCase.objects.create(
        assessment=assessment,
        case_id=make.case_id(number),
        case_number=f"=0000{number}",
        path=["BILL"],
        turns=[{"speaker": "customer", "text": "Where is my money?", "at": None}],
        digest=f"{number:064d}",
        team=team,
        doubt=number,
        suggested=["BILL"],
        odds=9.0,
    )


def member_of(client, name):
    user = make.make_user()
    user.groups.add(Group.objects.get(name=name))
    client.force_login(user)
    return user


def test_asking_for_an_assessment_gives_a_worker_the_errand_once(client):
    user = member_of(client, "Support lead")
    asked = {"fields_named": "Reason__c, Detail__c", "most": "2000"}

    for _ in range(2):
        client.post(reverse(PAGE), asked)

    errand = Errand.objects.get()
    assert errand.kind in ERRANDS
    assert errand.asked_by == user
    assert errand.parameters == {
        "fields": ["Reason__c", "Detail__c"],
        "most": 2000,
        "every_source": False,
    }
    assert "Waits for a worker" in client.get(reverse(PAGE)).content.decode()


@pytest.mark.parametrize(
    "asked",
    [
        {"fields_named": "a; drop", "most": "10"},
        {"fields_named": "A,B,C,D", "most": "10"},
        {"fields_named": "", "most": "50001"},
    ],
)
def test_nonsense_is_refused_where_it_was_typed(client, asked):
    member_of(client, "Support lead")

    page = client.post(reverse(PAGE), asked)

    assert page.context["form"].errors
    assert not Errand.objects.exists()


def test_the_newest_assessment_is_shown_in_a_fixed_number_of_queries(
    client, django_assert_max_num_queries
):
    member_of(client, "Support lead")
    assessment = make_assessment()
    for number in range(10, 60):
        make_doubt(assessment, number, "North")

    with django_assert_max_num_queries(16):
        page = client.get(reverse(PAGE)).content.decode()

    assert "80 %" in page
    assert "about 60 more" in page
    assert "at least" not in page
    assert "Where is my money" not in page


def test_doubtful_tags_are_shown_to_who_may_see_their_cases(client):
    user = make.make_user("sfsync.view_assessment")
    user.groups.add(group := make.make_group())
    make.make_remit(group=group, teams=["South"])
    client.force_login(user)
    assessment = make_assessment()

    page = client.get(reverse(PAGE)).content.decode()
    rows = client.get(reverse("admin:sfsync_assessment_list", args=[assessment.pk]))
    file = client.get(reverse("admin:sfsync_assessment_file", args=[assessment.pk]))

    for content in (page, rows.content.decode(), file.content.decode()):
        assert "00002" in content
        assert "00001" not in content
    assert "'=00002" in rows.content.decode()


def test_only_administrators_adopt(client):
    assessment = make_assessment()
    address = reverse("admin:sfsync_assessment_adopt", args=[assessment.pk])
    member_of(client, "Support lead")
    assert client.post(address).status_code == 403

    member_of(client, "Administrator")
    assert "This would be made" in client.get(address).content.decode()
    assert not Errand.objects.exists()
    client.post(address, {"map_fields": "on"})

    assert Errand.objects.get().parameters == {"assessment": assessment.pk, "map_fields": True}


@pytest.mark.parametrize("group", ["Reviewer", "Taxonomy editor"])
def test_who_has_no_business_there_is_refused(client, group):
    assessment = make_assessment()
    member_of(client, group)

    for name in ("change", "list", "file", "adopt"):
        address = reverse(f"admin:sfsync_assessment_{name}", args=[assessment.pk])
        assert client.get(address).status_code == 403, name
    assert client.get(reverse(PAGE)).status_code == 403
    assert client.post(reverse(PAGE), {"most": "10"}).status_code == 403
    assert "Assessment" not in client.get(reverse("admin:index")).content.decode()


def test_the_page_keeps_saying_why_the_last_assessment_came_to_nothing(client):
    user = member_of(client, "Support lead")
    failed = {"kind": "assess", "asked_by": user, "done_at": make.NOON}
    make.make_errand(**failed, error="Only 7 closed Cases have a tag.")

    shown = client.get(reverse(PAGE)).content.decode()
    make.make_errand(**failed)
    after = client.get(reverse(PAGE)).content.decode()

    assert "came to nothing" in shown
    assert "Only 7 closed Cases have a tag." in shown
    assert "came to nothing" not in after
