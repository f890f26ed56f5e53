from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("classifier", "0005_a_word_taken_back")]

    operations = [
        migrations.AddField(
            model_name="modelversion",
            name="restored_at",
            field=models.DateTimeField(
                editable=False,
                help_text="When a rollback made it the champion again.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="modelversion",
            name="restored_by",
            field=models.CharField(blank=True, editable=False, max_length=150),
        ),
    ]
