"""The timetable sends spans, where an exporter is configured."""

from django.db import migrations

NAME, TASK, SECONDS = "Send spans to OpenTelemetry", "sfsync.tasks.send_spans", 30


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
        ("contactreason", "0009_promises_are_watched"),
        ("sfsync", "0024_traced"),
    ]
    operations = [migrations.RunPython(seed, remove)]
