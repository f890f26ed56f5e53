"""The four groups that people are put into, with what each may do.

Permissions are usually made after all migrations have run, so those needed here are made here;
Django finds and keeps them afterwards. Running it again changes no group an administrator has
changed: a group that exists is left alone.
"""

from django.db import migrations

READ = [
    "classifier.view_category",
    "classifier.view_decision",
    "classifier.view_feedback",
    "classifier.view_goldlabel",
    "classifier.view_keywordrule",
    "classifier.view_modelversion",
    "classifier.view_transcript",
    "sfsync.view_caselink",
    "sfsync.view_categorymapping",
    "sfsync.view_connection",
    "sfsync.view_notice",
    "sfsync.view_writeback",
]
GROUPS = {
    # Looks after what can be decided: categories and rules.
    "Taxonomy editor": [
        *READ,
        "classifier.add_category",
        "classifier.change_category",
        "classifier.add_keywordrule",
        "classifier.change_keywordrule",
        "classifier.delete_keywordrule",
        "sfsync.add_categorymapping",
        "sfsync.change_categorymapping",
    ],
    # Says whether decisions are right.
    "Reviewer": [*READ, "classifier.add_feedback"],
    # Answers for quality and pace: exports, promotes, pauses, delivers again.
    "Support lead": [
        *READ,
        "classifier.add_feedback",
        "classifier.change_feedback",
        "classifier.change_modelversion",
        "sfsync.change_connection",
        "sfsync.change_notice",
        "sfsync.change_writeback",
        "sfsync.view_fieldmapping",
        "sfsync.view_source",
    ],
    # Everything, people included; not a superuser, so that nothing is beyond the permissions.
    "Administrator": [
        *READ,
        "classifier.add_category",
        "classifier.change_category",
        "classifier.delete_category",
        "classifier.add_keywordrule",
        "classifier.change_keywordrule",
        "classifier.delete_keywordrule",
        "classifier.add_feedback",
        "classifier.change_feedback",
        "classifier.change_modelversion",
        "sfsync.add_categorymapping",
        "sfsync.change_categorymapping",
        "sfsync.change_connection",
        "sfsync.add_fieldmapping",
        "sfsync.change_fieldmapping",
        "sfsync.delete_fieldmapping",
        "sfsync.view_fieldmapping",
        "sfsync.change_notice",
        "sfsync.change_source",
        "sfsync.view_source",
        "sfsync.change_writeback",
        "auth.add_user",
        "auth.change_user",
        "auth.view_user",
        "auth.view_group",
        "authtoken.add_tokenproxy",
        "authtoken.change_tokenproxy",
        "authtoken.delete_tokenproxy",
        "authtoken.view_tokenproxy",
        "django_celery_beat.change_periodictask",
        "django_celery_beat.view_periodictask",
        "django_celery_beat.add_intervalschedule",
        "django_celery_beat.change_intervalschedule",
        "django_celery_beat.view_intervalschedule",
        "django_celery_beat.add_crontabschedule",
        "django_celery_beat.change_crontabschedule",
        "django_celery_beat.view_crontabschedule",
    ],
}


def make_groups(apps, schema_editor):
    database = schema_editor.connection.alias
    Group = apps.get_model("auth", "Group")
    for name, wanted in GROUPS.items():
        group, is_new = Group.objects.using(database).get_or_create(name=name)
        if is_new:
            group.permissions.add(*[_permission(apps, database, one) for one in wanted])


def _permission(apps, database, wanted):
    """Return the permission ``app.verb_model``, made as Django would make it if it is missing."""
    ContentType = apps.get_model("contenttypes", "ContentType")
    Permission = apps.get_model("auth", "Permission")
    app, codename = wanted.split(".")
    verb, model = codename.split("_", 1)
    content_type, _ = ContentType.objects.using(database).get_or_create(app_label=app, model=model)
    name = apps.get_model(app, model)._meta.verbose_name
    permission, _ = Permission.objects.using(database).get_or_create(
        content_type=content_type, codename=codename, defaults={"name": f"Can {verb} {name}"}
    )
    return permission


class Migration(migrations.Migration):
    dependencies = [
        ("contactreason", "0001_timetable"),
        ("classifier", "0001_tables"),
        ("sfsync", "0001_tables"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("authtoken", "0004_alter_tokenproxy_options"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    # Groups are not taken away again: people may be in them.
    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
