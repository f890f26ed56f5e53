"""The stations of the loop join the timetable; who may do what in it.

As in 0002, permissions that Django has not made yet are made here. A group that was renamed or
deleted is left alone.
"""

from importlib import import_module

from django.db import migrations

groups = import_module("contactreason.migrations.0002_groups")

TIMETABLE = {
    "Do errands": ("classifier.tasks.run_errands", 5),
    "Do errands with Salesforce": ("sfsync.tasks.run_errands", 5),
    "Open and close reviews": ("classifier.tasks.open_reviews", 10),
    "Settle feedback": ("classifier.tasks.settle_feedback", 10),
    "Hear what people changed in Salesforce": ("sfsync.tasks.hear_changes", 60),
}
READ = [
    "classifier.view_comparison",
    "classifier.view_errand",
    "classifier.view_review",
]
GRANTS = {
    "Taxonomy editor": READ,
    "Reviewer": [*READ, "classifier.change_review"],
    "Support lead": [
        *READ,
        "classifier.change_review",
        "classifier.add_errand",
        "classifier.view_trust",
        "classifier.view_remit",
        "sfsync.change_caselink",
    ],
    "Administrator": [
        *READ,
        "classifier.change_review",
        "classifier.add_errand",
        "classifier.view_trust",
        "classifier.change_trust",
        "classifier.view_remit",
        "classifier.add_remit",
        "classifier.change_remit",
        "classifier.delete_remit",
        "sfsync.change_caselink",
        "sfsync.add_source",
        "sfsync.delete_source",
    ],
}


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
    for name, wanted in GRANTS.items():
        for group in Group.objects.using(database).filter(name=name):
            group.permissions.add(*[groups._permission(apps, database, one) for one in wanted])


def remove(apps, schema_editor):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name__in=TIMETABLE).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("contactreason", "0002_groups"),
        ("classifier", "0003_the_loop"),
        ("sfsync", "0007_named_sources_and_hand_back"),
    ]
    operations = [
        migrations.RunPython(seed, remove),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
