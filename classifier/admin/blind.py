"""What stands in the admin where a verdict waits for a blind answer."""

from django.utils.safestring import SafeString

from classifier.admin.base import badge

WHY = "Drawn for blind audit: shown once somebody has answered, so that nobody is swayed."


def hidden() -> SafeString:
    """Return what stands in the verdict's place."""
    return badge("hidden: blind audit", "calm", WHY)
