"""The timetable: how often each station looks into its tray when nobody rang."""

from django.db import migrations

TIMETABLE = {
    # Four objects and the deleted Cases are asked for at each pull: at 30 s that is at most
    # 17,280 calls a day, 15 % of the smallest Enterprise allowance.
    "Pull changed Cases": ("sfsync.tasks.pull_cases", 30),
    "Decide waiting transcripts": ("classifier.tasks.decide_waiting_transcripts", 5),
    "Deliver due write-backs": ("sfsync.tasks.deliver_write_backs", 5),
}


def seed(apps, schema_editor):
    IntervalSchedule = apps.get_model("django_celery_beat", "IntervalSchedule")
    PeriodicTask = apps.get_model("django_celery_beat", "PeriodicTask")
    for name, (task, seconds) in TIMETABLE.items():
        interval, _ = IntervalSchedule.objects.get_or_create(every=seconds, period="seconds")
        PeriodicTask.objects.get_or_create(
            name=name,
            # A hint that nobody heard in time is worthless: the next one says the same.
            defaults={"task": task, "interval": interval, "expire_seconds": 2 * seconds},
        )


def remove(apps, schema_editor):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name__in=TIMETABLE).delete()


class Migration(migrations.Migration):
    initial = True
    dependencies = [("django_celery_beat", "0019_alter_periodictasks_options")]
    operations = [migrations.RunPython(seed, remove)]
