from django.apps import AppConfig


class ContactReasonConfig(AppConfig):
    name = "contactreason"
    verbose_name = "Contact Reason"
    default_auto_field = "django.db.models.BigAutoField"
