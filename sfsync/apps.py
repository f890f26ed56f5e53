from django.apps import AppConfig


class SfsyncConfig(AppConfig):
    name = "sfsync"
    verbose_name = "Salesforce"
    default_auto_field = "django.db.models.BigAutoField"
