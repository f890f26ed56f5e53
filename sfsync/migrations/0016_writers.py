
"""Places for those who write at the same time, and how fast they may."""

from django.db import migrations, models


WRITERS = 4
"""As many as ever write at the same time (reliability page, 4.7)."""


def seat(apps, schema_editor):
    writer = apps.get_model("sfsync", "Writer").objects.using(schema_editor.connection.alias)
    writer.bulk_create(writer.model(number=number) for number in range(1, WRITERS + 1))


class Migration(migrations.Migration):

    dependencies = [
        ('sfsync', '0015_breakers'),
    ]

    operations = [
        migrations.CreateModel(
            name='Writer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('lease_token', models.UUIDField(editable=False, null=True)),
                ('leased_until', models.DateTimeField(editable=False, null=True)),
                ('epoch', models.PositiveIntegerField(default=0, editable=False)),
                ('attempts', models.PositiveIntegerField(default=0, editable=False)),
                ('number', models.PositiveSmallIntegerField(unique=True)),
            ],
            options={
                'ordering': ('number',),
            },
        ),
        migrations.CreateModel(
            name='WritingPace',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('step', models.PositiveSmallIntegerField(default=0)),
                ('changed_at', models.DateTimeField()),
                ('seconds', models.JSONField(default=list)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='there_is_one_writing_pace')],
            },
        ),
        migrations.RunPython(seat, migrations.RunPython.noop),
    ]
