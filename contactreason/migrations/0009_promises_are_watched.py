"""The timetable watches what people say of decisions: audits often, overrides a few times a day."""

from django.db import migrations

TIMETABLE = {
    "Watch the precision of audits": ("sfsync.tasks.watch_precision", 600),
    "Watch overrides by people": ("sfsync.tasks.watch_overrides", 21_600),
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


def remove(apps, schema_editor):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name__in=TIMETABLE).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("contactreason", "0008_backfills"),
        ("sfsync", "0022_falling_back"),
    ]
    operations = [migrations.RunPython(seed, remove)]
