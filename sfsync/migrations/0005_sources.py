"""The places in Salesforce that we know how to read."""

from django.db import migrations

SOURCES = (
    ("description", "Case subject and description"),
    ("email", "E-mails"),
    ("comment", "Case comments"),
    ("messaging", "Messaging conversations"),
)


def seed(apps, schema_editor):
    source = apps.get_model("sfsync", "Source")
    for code, name in SOURCES:
        source.objects.get_or_create(code=code, defaults={"name": name})


class Migration(migrations.Migration):
    dependencies = [("sfsync", "0004_watermark_remembers_its_window")]

    # Going back keeps the rows: an administrator may have switched one off.
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
