from django.apps import AppConfig


class SfsyncConfig(AppConfig):
    name = "sfsync"
    verbose_name = "Salesforce"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Models are there only now, so that these cannot be imported at the top.
        from classifier.exchanging import add_columns  # noqa: PLC0415
        from sfsync.category_columns import SalesforceColumns  # noqa: PLC0415

        add_columns(SalesforceColumns())
