"""Who may assess an org's past, and who may adopt what comes of it.

As in 0002, permissions that Django has not made yet are made here. A group that was renamed or
deleted is left alone.
"""

from importlib import import_module

from django.db import migrations

permission = import_module("contactreason.migrations.0002_groups")._permission

ASSESS = ["sfsync.view_assessment", "sfsync.add_assessment"]
GRANTS = {
    "Support lead": ASSESS,
    "Administrator": [*ASSESS, "sfsync.change_assessment"],
}


def grant(apps, schema_editor):
    database = schema_editor.connection.alias
    Group = apps.get_model("auth", "Group")
    for name, wanted in GRANTS.items():
        for group in Group.objects.using(database).filter(name=name):
            group.permissions.add(*[permission(apps, database, one) for one in wanted])


class Migration(migrations.Migration):
    dependencies = [
        ("contactreason", "0003_errands_and_the_loop"),
        ("sfsync", "0009_assessments"),
    ]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
