"""The sources that joined, and how often each is asked what is new."""

from django.db import migrations, models

SOURCES = {
    # code: (name, seconds between two questions)
    "description": ("Case subject and description", 0),
    "email": ("E-mails", 0),
    "comment": ("Case comments", 0),
    "messaging": ("Messaging conversations", 0),
    "voice": ("Voice calls", 120),
    "call_log": ("Call logs", 120),
    "attachment": ("Transcripts in attached files", 120),
    "social": ("Social posts", 300),
    "chat": ("Chat transcripts (web chat until 2026)", 600),
}


def seed(apps, schema_editor):
    source = apps.get_model("sfsync", "Source")
    for code, (name, seconds) in SOURCES.items():
        source.objects.get_or_create(code=code, defaults={"name": name})
        source.objects.filter(code=code).update(interval_seconds=seconds)


class Migration(migrations.Migration):
    dependencies = [("sfsync", "0007_named_sources_and_hand_back")]

    operations = [
        migrations.AddField(
            model_name="source",
            name="interval_seconds",
            field=models.PositiveIntegerField(
                default=120,
                help_text="At least so long between two questions to Salesforce what is new here; 0: with every pull. Each question is one API call.",
                verbose_name="asked every … seconds",
            ),
        ),
        migrations.RunPython(seed, migrations.RunPython.noop),
    ]
