"""A file of an errand is kept in pieces, so that a large one never has to be in memory whole."""

import django.db.models.deletion
from django.db import migrations, models

PIECE_BYTES = 1_000_000


def cut(apps, schema_editor):
    database = schema_editor.connection.alias
    ErrandFile = apps.get_model("classifier", "ErrandFile")
    ErrandPiece = apps.get_model("classifier", "ErrandPiece")
    files = ErrandFile.objects.using(database)
    for key in list(files.values_list("pk", flat=True)):
        content = bytes(files.values_list("content", flat=True).get(pk=key))
        for number, start in enumerate(range(0, len(content), PIECE_BYTES)):
            ErrandPiece.objects.using(database).create(
                file_id=key, number=number, content=content[start : start + PIECE_BYTES]
            )


def join(apps, schema_editor):
    database = schema_editor.connection.alias
    for file in apps.get_model("classifier", "ErrandFile").objects.using(database):
        pieces = file.pieces.order_by("number").values_list("content", flat=True)
        file.content = b"".join(map(bytes, pieces))
        file.save()


class Migration(migrations.Migration):
    dependencies = [("classifier", "0008_decisions_to_report")]
    operations = [
        migrations.CreateModel(
            name="ErrandPiece",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("content", models.BinaryField()),
                (
                    "file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pieces",
                        to="classifier.errandfile",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("file", "number"), name="a_piece_of_a_file_comes_once"
                    )
                ],
            },
        ),
        migrations.AlterField("errandfile", "content", models.BinaryField(default=b"")),
        migrations.RunPython(cut, join, elidable=True),
        migrations.RemoveField("errandfile", "content"),
    ]
