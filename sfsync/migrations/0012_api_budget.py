"""Our share of the org's API calls, and the account of what we spend of it.

The former account, one row a day, keeps its table for one release: workers of the last version
count into it while both run. What it holds of yesterday and today counts against the budget.
"""

from datetime import UTC, datetime, time, timedelta

import django.core.validators
from django.db import migrations, models


def carry_over(apps, schema_editor):
    database = schema_editor.connection.alias
    ApiUsage = apps.get_model("sfsync", "ApiUsage")
    ApiSpending = apps.get_model("sfsync", "ApiSpending")
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    for usage in ApiUsage.objects.using(database).filter(day__gte=yesterday, calls__gt=0):
        ApiSpending.objects.using(database).create(
            started_at=datetime.combine(usage.day, time(), UTC), purpose="scan", calls=usage.calls
        )


class Migration(migrations.Migration):
    dependencies = [("sfsync", "0011_doorbells")]
    operations = [
        migrations.CreateModel(
            name="ApiSpending",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("started_at", models.DateTimeField()),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("confirm", "making sure of writes without an answer"),
                            ("write", "writing"),
                            ("scan", "asking what changed"),
                            ("fetch", "reading Cases and their words"),
                            ("backfill", "reading the past"),
                            ("describe", "looking at fields and objects"),
                            ("look", "asking how many calls are left"),
                        ],
                        max_length=8,
                    ),
                ),
                ("calls", models.PositiveIntegerField(default=0)),
            ],
            options={
                "verbose_name_plural": "API spending",
                "ordering": ("-started_at", "purpose"),
            },
        ),
        migrations.AddConstraint(
            model_name="apispending",
            constraint=models.UniqueConstraint(
                fields=("started_at", "purpose"), name="one_account_per_purpose_and_slot"
            ),
        ),
        migrations.AddField(
            model_name="connection",
            name="org_calls_told_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="connection",
            name="calls_stopped_until",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="connection",
            name="calls_wait_until",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="connection",
            name="api_share_percent",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="So many of the calls that the org may make in any 24 hours are ours at most. Empty: SALESFORCE_API_SHARE of the environment (0.2 unless set).",
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(100),
                ],
                verbose_name="our share of the org’s API calls, in per cent",
            ),
        ),
        migrations.RunPython(carry_over, migrations.RunPython.noop),
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.DeleteModel(name="ApiUsage")]
        ),
    ]
