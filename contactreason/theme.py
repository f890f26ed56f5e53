"""How the admin looks: title, colours and the one menu, as django-unfold wants them."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def _may_see(model: str) -> Callable[[HttpRequest], bool]:
    """Return the condition under which a menu entry is shown, for ``app.model``."""
    app, name = model.split(".")

    def may_see(request: HttpRequest) -> bool:
        user = request.user
        return any(user.has_perm(f"{app}.{verb}_{name}") for verb in ("view", "change"))

    return may_see


def _entry(title: str, icon: str, model: str) -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{model.replace('.', '_')}_changelist"),
        "permission": _may_see(model),
    }


NAVIGATION = [
    {
        "items": [
            {"title": "Dashboard", "icon": "dashboard", "link": reverse_lazy("admin:index")},
            {
                "title": "Why customers contact us",
                "icon": "monitoring",
                "link": reverse_lazy("admin:classifier_decision_reasons"),
                "permission": _may_see("classifier.decision"),
            },
            {
                "title": "Review",
                "icon": "checklist",
                "link": reverse_lazy("review"),
                "badge": "classifier.admin.review.count_waiting",
                "badge_variant": "primary",
                "permission": lambda request: request.user.has_perm("classifier.change_review"),
            },
        ],
    },
    {
        "title": "Conversations",
        "items": [
            {
                **_entry("Decisions", "task_alt", "classifier.decision"),
                "active": lambda request: (
                    "/classifier/decision/" in request.path and "/reasons/" not in request.path
                ),
            },
            _entry("Transcripts", "forum", "classifier.transcript"),
            _entry("Feedback", "rate_review", "classifier.feedback"),
            _entry("Reviews", "fact_check", "classifier.review"),
        ],
    },
    {
        "title": "How we decide",
        "items": [
            _entry("Categories", "account_tree", "classifier.category"),
            _entry("Keyword rules", "rule", "classifier.keywordrule"),
            _entry("Model versions", "model_training", "classifier.modelversion"),
            _entry("Gold labels", "verified", "classifier.goldlabel"),
            _entry("Trust", "handshake", "classifier.trust"),
        ],
    },
    {
        "title": "Salesforce",
        "items": [
            _entry("Connection", "cloud_sync", "sfsync.connection"),
            _entry("Cases", "work", "sfsync.caselink"),
            _entry("Rings", "doorbell", "sfsync.doorbell"),
            _entry("Write-backs", "outbox", "sfsync.writeback"),
            _entry("Sources", "input", "sfsync.source"),
            _entry("Field mapping", "compare_arrows", "sfsync.fieldmapping"),
            _entry("Assessment", "query_stats", "sfsync.assessment"),
            _entry("Backfill", "history", "sfsync.backfill"),
            _entry("Weekly check", "fact_check", "sfsync.reconciliation"),
            _entry("Notices", "notifications", "sfsync.notice"),
        ],
    },
    {
        "title": "Administration",
        "items": [
            _entry("Users", "person", "auth.user"),
            _entry("Groups", "group", "auth.group"),
            _entry("API tokens", "key", "authtoken.tokenproxy"),
            _entry("Schedules", "schedule", "django_celery_beat.periodictask"),
            _entry("Errands", "hourglass_top", "classifier.errand"),
        ],
    },
]

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Contact Reason",
    "SITE_HEADER": "Contact Reason",
    "SITE_SUBHEADER": "Why customers contact us",
    "SITE_SYMBOL": "forum",
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda request: static("contactreason/icon.svg"),
        }
    ],
    "SITE_URL": None,
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "DASHBOARD_CALLBACK": "contactreason.site.dashboard_context",
    "STYLES": [
        lambda request: static("classifier/admin.css"),
        lambda request: static("contactreason/dashboard.css"),
    ],
    "BORDER_RADIUS": "8px",
    "COLORS": {
        # Teal, dark enough at 600 for white text upon it (contrast 4.5:1 or more).
        "primary": {
            "50": "oklch(98.4% .014 180.72)",
            "100": "oklch(95.3% .051 180.801)",
            "200": "oklch(91% .096 180.426)",
            "300": "oklch(85.5% .138 181.071)",
            "400": "oklch(77.7% .152 181.912)",
            "500": "oklch(70.4% .14 182.503)",
            "600": "oklch(51.1% .096 186.391)",
            "700": "oklch(43.7% .078 188.216)",
            "800": "oklch(38.6% .063 188.416)",
            "900": "oklch(33% .053 189)",
            "950": "oklch(27.7% .046 192.524)",
        },
    },
    "SIDEBAR": {
        "show_search": False,
        "command_search": False,
        "show_all_applications": False,
        "navigation": NAVIGATION,
    },
}
