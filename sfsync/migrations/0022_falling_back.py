"""A category falls back by itself; the history of its mode is kept."""

import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('classifier', '0001_squashed_0013'),
        ('sfsync', '0021_quiet_objects_rest'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='categorymapping',
            name='fell_back_at',
            field=models.DateTimeField(editable=False, help_text='Since when it is only suggested, by itself.', null=True),
        ),
        migrations.AddField(
            model_name='categorymapping',
            name='fell_back_because',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=255),
        ),
        migrations.AddField(
            model_name='categorymapping',
            name='mode_set_at',
            field=models.DateTimeField(editable=False, help_text='Since when the mode is as it is.', null=True),
        ),
        migrations.CreateModel(
            name='HistoricalCategoryMapping',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('value', models.CharField(blank=True, help_text="The picklist value that the org already uses; empty: the category's code.", max_length=255, verbose_name='Salesforce value')),
                ('mode', models.CharField(choices=[('shadow', 'Shadow: decide, write nothing'), ('suggest', 'Suggest: write the suggestion field only'), ('automatic', 'Automatic: write the contact reason')], default='automatic', help_text="The lower of this and the connection's mode counts.", max_length=9)),
                ('mode_set_at', models.DateTimeField(editable=False, help_text='Since when the mode is as it is.', null=True)),
                ('fell_back_at', models.DateTimeField(editable=False, help_text='Since when it is only suggested, by itself.', null=True)),
                ('fell_back_because', models.CharField(blank=True, db_default='', default='', editable=False, max_length=255)),
                ('history_change_reason', models.TextField(null=True)),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('category', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='classifier.category')),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'historical category mapping',
                'verbose_name_plural': 'historical category mappings',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
    ]
