"""The Case fields that we write unless an administrator says otherwise."""

from django.db import migrations

DEFAULTS = (
    ("primary", "Contact_Reason__c"),
    ("all_reasons", "Contact_Reasons__c"),
    ("suggestion", "Contact_Reason_Suggestion__c"),
    ("confidence", "Contact_Reason_Confidence__c"),
    ("source", "Contact_Reason_Source__c"),
    ("evidence", "Contact_Reason_Evidence__c"),
    ("model", "Contact_Reason_Model__c"),
    ("decided_at", "Contact_Reason_At__c"),
)


def seed(apps, schema_editor):
    mapping = apps.get_model("sfsync", "FieldMapping")
    for slot, field in DEFAULTS:
        mapping.objects.get_or_create(slot=slot, defaults={"field": field})


class Migration(migrations.Migration):
    dependencies = [("sfsync", "0002_held_where_no_field_is_writable")]

    # Going back keeps the rows: an administrator may have changed them.
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
