from django.apps import AppConfig


class ClassifierConfig(AppConfig):
    name = "classifier"
    verbose_name = "Contact reasons"
    default_auto_field = "django.db.models.BigAutoField"
