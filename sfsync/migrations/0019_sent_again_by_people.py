"""Who sent a write-back again, when, and how often."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('sfsync', '0018_writers'),
    ]

    operations = [
        migrations.AddField(
            model_name='writeback',
            name='replayed_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='writeback',
            name='replayed_by',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=150),
        ),
        migrations.AddField(
            model_name='writeback',
            name='replays',
            field=models.PositiveSmallIntegerField(db_default=0, default=0, editable=False, help_text='How often a person sent it again.'),
        ),
    ]
