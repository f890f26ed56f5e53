from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("classifier", "0006_champion_again")]
    operations = [
        migrations.AddIndex(
            model_name="transcript",
            index=models.Index(fields=["channel"], name="transcripts_by_channel"),
        ),
        migrations.AddIndex(
            model_name="transcript",
            index=models.Index(fields=["language"], name="transcripts_by_language"),
        ),
    ]
