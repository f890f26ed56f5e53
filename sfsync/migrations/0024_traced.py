"""Which write-backs had their spans exported."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('sfsync', '0023_how_words_are_protected'),
    ]

    operations = [
        migrations.AddField(
            model_name='writeback',
            name='traced_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
