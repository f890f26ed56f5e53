"""What was typed as a strength becomes the admin's word, not a measure.

A rule that decided alone by it goes on to do so, on its admin's word. The words of all rules stay
as they are, and the history keeps the old figures.
"""

from django.db import migrations

DECISIVE = 0.9  # until now an assigning rule of this strength decided alone


def state_certain(apps, schema_editor):
    rules = apps.get_model("classifier", "KeywordRule").objects.using(
        schema_editor.connection.alias
    )
    rules.filter(effect="assign", strength__gte=DECISIVE).update(is_certain=True)
    rules.update(strength=None)


def guess_strength(apps, schema_editor):
    """Give back what the rules were decided by; the exact figures are in the history."""
    database = schema_editor.connection.alias
    for name in ("KeywordRule", "HistoricalKeywordRule"):
        rules = apps.get_model("classifier", name).objects.using(database)
        rules.filter(is_certain=True, strength=None).update(strength=0.95)
        rules.filter(strength=None).update(strength=0.5)


class Migration(migrations.Migration):
    dependencies = [("classifier", "0010_rules_that_are_measured")]

    operations = [migrations.RunPython(state_certain, guess_strength)]
