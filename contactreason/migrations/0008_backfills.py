"""Backfills and the weekly reconciliation join the timetable; who may ask for and approve them.

As in 0002, permissions that Django has not made yet are made here. A group that was renamed or
deleted is left alone.
"""

from importlib import import_module

from django.db import migrations

permission = import_module("contactreason.migrations.0002_groups")._permission

TIMETABLE = {
    "Do the next step of a backfill": ("sfsync.tasks.step_backfills", 5),
    # Looks whether a week has passed, or goes on with the one under way.
    "Reconcile with Salesforce": ("sfsync.tasks.reconcile", 300),
}
BACKFILL = [
    "sfsync.view_backfill",
    "sfsync.add_backfill",
    "sfsync.change_backfill",
    "sfsync.approve_backfill",
    "sfsync.view_reconciliation",
]
GROUPS = ("Support lead", "Administrator")


def seed(apps, schema_editor):
    IntervalSchedule = apps.get_model("django_celery_beat", "IntervalSchedule")
    PeriodicTask = apps.get_model("django_celery_beat", "PeriodicTask")
    for name, (task, seconds) in TIMETABLE.items():
        interval, _ = IntervalSchedule.objects.get_or_create(every=seconds, period="seconds")
        PeriodicTask.objects.get_or_create(
            name=name,
            defaults={"task": task, "interval": interval, "expire_seconds": 2 * seconds},
        )


def grant(apps, schema_editor):
    database = schema_editor.connection.alias
    Group = apps.get_model("auth", "Group")
    for group in Group.objects.using(database).filter(name__in=GROUPS):
        group.permissions.add(*[permission(apps, database, one) for one in BACKFILL])


def remove(apps, schema_editor):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name__in=TIMETABLE).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("contactreason", "0007_station_runs"),
        ("sfsync", "0014_backfills_and_reconciliations"),
    ]
    operations = [
        migrations.RunPython(seed, remove),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
