"""Settings, from the environment alone (a ``.env`` file beside manage.py counts as environment).

All missing or wrong variables are reported together. No secret has a default; DEBUG is off
unless DEBUG=true. The Salesforce variables are checked for their form here; whether all that a
login needs are there is asked only by what talks to Salesforce (``sfsync.credentials``).
"""

from pathlib import Path

import django_stubs_ext
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE

from contactreason.embedded import socket_path
from contactreason.environment import Environment
from contactreason.theme import UNFOLD as THEME

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
environment = Environment.read(BASE_DIR)
VAR_DIR = environment.var_dir

# --- Security -------------------------------------------------------------------------------

SECRET_KEY = environment.secret_key
DEBUG = environment.debug
ALLOWED_HOSTS = environment.allowed_hosts
CSRF_TRUSTED_ORIGINS = environment.csrf_trusted_origins

# The demo is plain HTTP on loopback; everything else is behind TLS.
_is_tls = not (environment.plain_http or DEBUG)
SESSION_COOKIE_SECURE = _is_tls
CSRF_COOKIE_SECURE = _is_tls
SECURE_SSL_REDIRECT = _is_tls
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = 31_536_000 if _is_tls else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _is_tls
SECURE_HSTS_PRELOAD = _is_tls
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _is_tls else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_AGE = 12 * 60 * 60
# Alpine in the admin theme evaluates expressions, so the policy allows eval, never inline scripts.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, UNSAFE_EVAL],
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
        "base-uri": [SELF],
    }
}
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 1  # hour
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 15},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

# --- The parts ------------------------------------------------------------------------------

INSTALLED_APPS = [
    "contactreason",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "unfold.contrib.simple_history",
    # Without its search for admin modules: only the web app needs them (contactreason.urls), and
    # the workers start in half the time.
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_celery_beat",
    "import_export",
    "simple_history",
    "axes",
    "csp",
    "classifier",
    "sfsync",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "contactreason.urls"
WSGI_APPLICATION = "contactreason.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
# Served straight from the packages, so that nothing must be collected before the first page.
WHITENOISE_USE_FINDERS = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Where rows live ------------------------------------------------------------------------

DATABASES = {"default": environment.database}

# --- The alarm clock ------------------------------------------------------------------------

REDIS_URL = environment.redis_url or f"unix://{socket_path(VAR_DIR)}"

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Longer than any task may run, else a running task is delivered a second time.
    "visibility_timeout": 300,
    # kombu's defaults look for unacknowledged messages only every 100 s.
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 2,
    # A broker that stands still must not hold a worker: the tables know what there is to do.
    "socket_timeout": 5,
    # A lost ring is found by the sweep: no station waits long for a broken bell.
    "max_retries": 1,
    "interval_start": 0.05,
    "interval_max": 0.2,
}
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_EXPIRES = None  # there are none, so beat needs no task to clean them up
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 150
CELERY_TASK_SOFT_TIME_LIMIT = 120
CELERY_TASK_DEFAULT_QUEUE = "decide"
CELERY_TASK_ROUTES = {
    # What may take minutes has a queue of its own, so that Cases never wait for it.
    "classifier.tasks.run_errands": {"queue": "errands"},
    "sfsync.tasks.run_errands": {"queue": "errands"},
    "sfsync.tasks.step_backfills": {"queue": "errands"},
    "sfsync.tasks.reconcile": {"queue": "errands"},
    "sfsync.tasks.*": {"queue": "salesforce"},
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
DJANGO_CELERY_BEAT_TZ_AWARE = True

# --- Deciding -------------------------------------------------------------------------------

DECIDE_BATCH = 200
AUDIT_SHARE = 0.01
PROMOTION_NEEDS_SECOND_PERSON = environment.promotion_needs_second_person
TARGET_PRECISION = environment.target_precision
OUT_OF_SCOPE_SHARE = environment.out_of_scope_share
DASK_SCHEDULER = environment.dask_scheduler

# --- Alarms ---------------------------------------------------------------------------------

ALARM_EMAILS = environment.alarms.emails
ALARM_WEBHOOK_URL = environment.alarms.webhook_url
ALARM_WEBHOOK_LOCAL = environment.alarms.webhook_is_local
# A tray whose oldest row is older has stopped moving.
ALARM_TRAY_MINUTES = 15
# An alarm that nobody acknowledged or silenced is told again after so long.
ALARM_REPEAT_HOURS = 4
SITE_URL = environment.alarms.site_url or next(iter(CSRF_TRUSTED_ORIGINS), "")
vars().update(environment.alarms.mail)  # EMAIL_HOST and the like
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = environment.alarms.mail_from

# --- Exporting ------------------------------------------------------------------------------

# Rows that are sent at once; more are written by a worker, with progress shown.
EXPORT_AT_ONCE = 10_000

# --- Salesforce -----------------------------------------------------------------------------

SALESFORCE_DOMAIN = environment.salesforce.domain
SALESFORCE_CLIENT_ID = environment.salesforce.client_id
SALESFORCE_CLIENT_SECRET = environment.salesforce.client_secret
SALESFORCE_USERNAME = environment.salesforce.username
SALESFORCE_PRIVATE_KEY = environment.salesforce.private_key
SALESFORCE_API_VERSION = environment.salesforce.api_version
SALESFORCE_API_SHARE = environment.salesforce.api_share
SALESFORCE_LOCAL_ORIGIN = environment.salesforce.local_origin
SALESFORCE_EVENTS_LOCAL_ORIGIN = environment.salesforce.events_local_origin
SALESFORCE_EVENT_TOPICS = environment.salesforce.event_topics

# --- Doors for Salesforce -------------------------------------------------------------------

OUTBOUND_SECRETS = environment.doors.outbound_secrets
OUTBOUND_ORGANISATIONS = environment.doors.outbound_organisations
OUTBOUND_ACTIONS = environment.doors.outbound_actions
WEBHOOK_SECRETS = environment.doors.webhook_secrets

# --- The admin's looks ----------------------------------------------------------------------

UNFOLD = THEME

# --- REST -----------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "EXCEPTION_HANDLER": "contactreason.problems.problem_response",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.UserRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"user": "600/min"},
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Contact Reason",
    "DESCRIPTION": "Why do customers contact us? Classify texts, read decisions, give feedback.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- Logs -----------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"},
    },
    "filters": {"hides_secrets": {"()": "contactreason.log_filter.HidesSecrets"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["hides_secrets"],
        }
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django.server": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        "django_celery_beat": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
    },
}
