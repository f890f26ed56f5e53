"""Where a Case is, and what happened to it: its fate, the Case it was merged into, what was confirmed."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('sfsync', '0016_handed_to_flows'),
    ]

    operations = [
        migrations.AddField(
            model_name='caselink',
            name='fate',
            field=models.CharField(blank=True, choices=[('deleted', 'deleted in Salesforce'), ('merged', 'merged into another Case'), ('unseen', 'deleted for good, or not shared with our user any more')], db_default='', default='', editable=False, max_length=7),
        ),
        migrations.AddField(
            model_name='caselink',
            name='merged_into',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=18),
        ),
        migrations.AddField(
            model_name='caselink',
            name='noticed_at',
            field=models.DateTimeField(editable=False, help_text='Since when the words we have waited to be read.', null=True),
        ),
        migrations.AddField(
            model_name='writeback',
            name='confirmed_at',
            field=models.DateTimeField(editable=False, help_text='When the Case was read and showed what we wrote.', null=True),
        ),
        migrations.CreateModel(
            name='CaseEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('deleted', 'Deleted in Salesforce'), ('merged', 'Merged into another Case'), ('unseen', 'No longer visible to our user'), ('returned', 'Came back'), ('reopened', 'Reopened'), ('owner', 'Changed its owner'), ('automation', 'Another integration wrote the reason')], max_length=10)),
                ('detail', models.CharField(blank=True, max_length=255)),
                ('at', models.DateTimeField()),
                ('case_link', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='sfsync.caselink')),
            ],
            options={
                'ordering': ('-at', '-id'),
                'constraints': [models.UniqueConstraint(fields=('case_link', 'kind', 'at'), name='an_event_is_noted_once')],
            },
        ),
    ]
