"""Doors: the station that reads Cases that rang joins the timetable; who may see the rings.

As in 0002, permissions that Django has not made yet are made here. A group that was renamed or
deleted is left alone.
"""

from importlib import import_module

from django.db import migrations

permission = import_module("contactreason.migrations.0002_groups")._permission

TIMETABLE = {
    "Read Cases that rang": ("sfsync.tasks.read_rung_cases", 5),
    "Forget old rings": ("sfsync.tasks.prune_rings", 3600),
}
READERS = ("Taxonomy editor", "Reviewer", "Support lead", "Administrator")


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
    for group in Group.objects.using(database).filter(name__in=READERS):
        group.permissions.add(permission(apps, database, "sfsync.view_doorbell"))


def remove(apps, schema_editor):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name__in=TIMETABLE).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("contactreason", "0005_alarms"),
        ("sfsync", "0011_doorbells"),
    ]
    operations = [
        migrations.RunPython(seed, remove),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
