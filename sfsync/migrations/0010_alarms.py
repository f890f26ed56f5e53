"""Notices ring: an outbox of alarms, and what people said about them; dead letters are closed."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('sfsync', '0009_assessments'),
    ]

    operations = [
        migrations.CreateModel(
            name='Alarm',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('lease_token', models.UUIDField(editable=False, null=True)),
                ('leased_until', models.DateTimeField(editable=False, null=True)),
                ('epoch', models.PositiveIntegerField(default=0, editable=False)),
                ('attempts', models.PositiveIntegerField(default=0, editable=False)),
                ('kind', models.CharField(choices=[('raised', 'alarm'), ('repeated', 'reminder'), ('cleared', 'all-clear')], max_length=8)),
                ('number', models.PositiveIntegerField(default=0, help_text='0 for the first; reminders count on.')),
                ('channel', models.CharField(choices=[('email', 'e-mail'), ('webhook', 'webhook')], max_length=7)),
                ('made_at', models.DateTimeField()),
                ('due_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('outcome', models.CharField(blank=True, choices=[('sent', 'sent'), ('dropped', 'no longer needed'), ('dead', 'given up')], max_length=7)),
                ('trouble', models.CharField(blank=True, help_text='Why the last try failed.', max_length=200)),
            ],
            options={
                'ordering': ('-made_at', '-id'),
            },
        ),
        migrations.AddField(
            model_name='notice',
            name='acknowledged_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='notice',
            name='acknowledged_by',
            field=models.CharField(blank=True, db_default='', default='', max_length=150),
        ),
        migrations.AddField(
            model_name='notice',
            name='rings',
            field=models.BooleanField(db_default=False, default=False, help_text='Told outside although it does not stop work.'),
        ),
        migrations.AddField(
            model_name='notice',
            name='silenced_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='notice',
            name='silenced_by',
            field=models.CharField(blank=True, db_default='', default='', max_length=150),
        ),
        migrations.AddField(
            model_name='notice',
            name='silenced_until',
            field=models.DateTimeField(blank=True, help_text='Empty although silenced: until the cause is gone.', null=True),
        ),
        migrations.AddField(
            model_name='writeback',
            name='closed_at',
            field=models.DateTimeField(editable=False, help_text='Since when nobody need look at it: given up for good.', null=True),
        ),
        migrations.AddField(
            model_name='writeback',
            name='closed_by',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=150),
        ),
        migrations.AddField(
            model_name='writeback',
            name='closed_note',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=500),
        ),
        migrations.AddIndex(
            model_name='writeback',
            index=models.Index(condition=models.Q(('closed_at', None), ('outcome', 'dead')), fields=['error_code', 'ended_at'], name='write_backs_given_up'),
        ),
        migrations.AddField(
            model_name='alarm',
            name='notice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='alarms', to='sfsync.notice'),
        ),
        migrations.AddIndex(
            model_name='alarm',
            index=models.Index(condition=models.Q(('ended_at', None)), fields=['due_at', 'id'], name='alarms_due'),
        ),
        migrations.AddConstraint(
            model_name='alarm',
            constraint=models.UniqueConstraint(fields=('notice', 'channel', 'kind', 'number'), name='an_alarm_is_told_once_by_each_way'),
        ),
        migrations.AddConstraint(
            model_name='alarm',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('due_at__isnull', False), ('ended_at', None), ('outcome', '')), models.Q(('due_at', None), ('ended_at__isnull', False), models.Q(('outcome', ''), _negated=True)), _connector='OR'), name='an_alarm_is_due_or_has_an_outcome'),
        ),
    ]
