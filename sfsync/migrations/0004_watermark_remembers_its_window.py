"""A watermark keeps what its last window held, so that asking again finds only what is new."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sfsync", "0003_default_field_mapping")]

    operations = [
        migrations.AddField(
            model_name="watermark",
            name="seen",
            field=models.JSONField(
                default=dict,
                editable=False,
                help_text="Record id → SystemModstamp of the window that the next pull asks for again.",
            ),
        ),
    ]
