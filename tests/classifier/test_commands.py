"""What all our commands promise."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("arguments", [("train",), ("promote",), ("classify", "manage.py")])
def test_a_database_without_tables_is_one_sentence_that_says_what_to_do(arguments):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE classifier_category RENAME TO elsewhere")
        cursor.execute("ALTER TABLE classifier_modelversion RENAME TO elsewhere_too")

    with pytest.raises(
        CommandError, match=r"The database says: .* run `python manage.py migrate`"
    ):
        call_command(*arguments)
