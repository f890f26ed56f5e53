from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('classifier', '0011_typed_strengths_become_a_word'),
    ]

    operations = [
        migrations.AddField(
            model_name='category',
            name='is_critical',
            field=models.BooleanField(default=False, help_text='Must not be missed, such as fraud: where it may be meant, it is written, or a person sees the conversation before any other.', verbose_name='critical'),
        ),
        migrations.AddField(
            model_name='category',
            name='needs_own_proof',
            field=models.BooleanField(default=False, help_text='The model decides for it only once its own labelled conversations prove that it is right often enough; until then it is suggested. Otherwise they may be proven together with others.', verbose_name='needs a proof of its own'),
        ),
        migrations.AddField(
            model_name='category',
            name='recall_floor',
            field=models.FloatField(choices=[(0.8, '80 %'), (0.9, '90 %'), (0.95, '95 %'), (0.98, '98 %'), (0.99, '99 %')], default=0.95, help_text='Of a critical category: the share of its conversations that must be written or come before a person. The higher, the more a person has to look at.', verbose_name='found at least'),
        ),
        migrations.AddField(
            model_name='historicalcategory',
            name='is_critical',
            field=models.BooleanField(default=False, help_text='Must not be missed, such as fraud: where it may be meant, it is written, or a person sees the conversation before any other.', verbose_name='critical'),
        ),
        migrations.AddField(
            model_name='historicalcategory',
            name='needs_own_proof',
            field=models.BooleanField(default=False, help_text='The model decides for it only once its own labelled conversations prove that it is right often enough; until then it is suggested. Otherwise they may be proven together with others.', verbose_name='needs a proof of its own'),
        ),
        migrations.AddField(
            model_name='historicalcategory',
            name='recall_floor',
            field=models.FloatField(choices=[(0.8, '80 %'), (0.9, '90 %'), (0.95, '95 %'), (0.98, '98 %'), (0.99, '99 %')], default=0.95, help_text='Of a critical category: the share of its conversations that must be written or come before a person. The higher, the more a person has to look at.', verbose_name='found at least'),
        ),
        migrations.AlterField(
            model_name='decision',
            name='doubt',
            field=models.CharField(blank=True, choices=[('no_words', 'there are no words to read'), ('no_model', 'no rule matched and no model is trained yet'), ('unsure', 'not sure enough'), ('rules_contradict', 'strong rules contradict each other'), ('out_of_scope', 'none of the contact reasons fits'), ('critical', 'it may be critical'), ('transcript_too_large', 'too long to be read'), ('set_aside', 'deciding it failed three times')], help_text='Why it abstained.', max_length=20),
        ),
        migrations.AddConstraint(
            model_name='category',
            constraint=models.CheckConstraint(condition=models.Q(('recall_floor__gt', 0.0), ('recall_floor__lt', 1.0)), name='a_recall_floor_is_a_share_that_can_be_kept'),
        ),
    ]
