"""The timetable looks for what is wrong, and tells people, every 30 seconds."""

from django.db import migrations

NAME, TASK, SECONDS = "Raise alarms", "sfsync.tasks.raise_alarms", 30


def seed(apps, schema_editor):
    IntervalSchedule = apps.get_model("django_celery_beat", "IntervalSchedule")
    PeriodicTask = apps.get_model("django_celery_beat", "PeriodicTask")
    interval, _ = IntervalSchedule.objects.get_or_create(every=SECONDS, period="seconds")
    PeriodicTask.objects.get_or_create(
        name=NAME, defaults={"task": TASK, "interval": interval, "expire_seconds": 2 * SECONDS}
    )


def remove(apps, schema_editor):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name=NAME).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("contactreason", "0004_assessments"),
        ("sfsync", "0010_alarms"),
    ]
    operations = [migrations.RunPython(seed, remove)]
