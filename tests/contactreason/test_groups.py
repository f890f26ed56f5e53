import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from tests import factories as make

pytestmark = pytest.mark.django_db


def member_of(name):
    user = make.make_user()
    user.groups.add(Group.objects.get(name=name))
    return user


@pytest.mark.parametrize(
    ("name", "may", "may_not"),
    [
        ("Taxonomy editor", "classifier.change_keywordrule", "sfsync.change_connection"),
        ("Reviewer", "classifier.view_transcript", "classifier.change_keywordrule"),
        ("Support lead", "sfsync.change_connection", "auth.change_user"),
        ("Administrator", "auth.change_user", "classifier.delete_decision"),
    ],
)
def test_the_migration_makes_groups_that_differ_in_their_rights(name, may, may_not):
    user = member_of(name)

    assert user.has_perm(may)
    assert not user.has_perm(may_not)


def test_permissions_made_early_are_not_made_twice():
    names = Permission.objects.values_list(
        "content_type__app_label", "content_type", "codename"
    )

    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "name", ["Taxonomy editor", "Reviewer", "Support lead", "Administrator"]
)
def test_a_member_sees_a_menu_whose_every_entry_opens(client, name):
    client.force_login(member_of(name))

    groups = client.get(reverse("admin:index")).context["sidebar_navigation"]
    links = [
        str(entry["link"])
        for group in groups
        for entry in group["items"]
        if entry["has_permission"]
    ]

    assert len(links) > 5
    assert [client.get(link).status_code for link in links] == [200] * len(links)


def test_an_administrator_gives_nobody_more_than_the_groups_give(client):
    me = member_of("Administrator")
    boss = make.make_administrator()
    client.force_login(me)
    mine = reverse("admin:auth_user_change", args=[me.pk])
    lead = Group.objects.get(name="Support lead")

    sent = {
        "username": me.username,
        "is_active": "on",
        "is_staff": "on",
        "is_superuser": "on",
        "user_permissions": [Permission.objects.get(codename="delete_decision").pk],
        "groups": [lead.pk],
        "date_joined_0": "2026-01-01",
        "date_joined_1": "12:00",
    }
    answer = client.post(mine, sent)
    me.refresh_from_db()

    assert answer.status_code == 302
    assert list(me.groups.all()) == [lead]
    assert not me.is_superuser
    assert not me.user_permissions.exists()
    assert (
        client.get(reverse("admin:auth_user_password_change", args=[boss.pk])).status_code
        == 403
    )
