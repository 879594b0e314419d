"""Settings: with ``chain_settings``, the one place that names what is configured.

Every name is listed in .env.example with what it means. DEBUG is off in both modes, so
that the local site is the real one.
"""

from __future__ import annotations

import logging
import secrets
from urllib.parse import urlsplit

import dj_email_url

from wallet_site import content_security, logs, stores
from wallet_site.chain_settings import *  # noqa: F403
from wallet_site.environment import BASE_DIR, LOCAL, VAR_DIR, env, secret
from wallet_site.environment import SITE_MODE as SITE_MODE

# --- Django ------------------------------------------------------------------------

DEBUG = False
SECRET_KEY_PATH = VAR_DIR / "secret_key"  # written by `manage.py up` in local mode
written_key = SECRET_KEY_PATH.read_text() if SECRET_KEY_PATH.exists() else ""
SECRET_KEY = secret("SECRET_KEY", written_key or secrets.token_hex(32))

WEB_PORT = env.int("WEB_PORT", 8000)
# The one origin people use. WebAuthn binds every passkey to its host, for ever.
SITE_ORIGIN = env.str("SITE_ORIGIN", f"http://localhost:{WEB_PORT}").rstrip("/")
SITE_IS_HTTPS = SITE_ORIGIN.startswith("https://")
SITE_HOST = urlsplit(SITE_ORIGIN).hostname or ""
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", [SITE_HOST])
CSRF_TRUSTED_ORIGINS = [SITE_ORIGIN]

INSTALLED_APPS = [
    "wallet_site",
    "accounts",
    "onchain",
    "wallet_site.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "wallet_site.apps.StaticFilesConfig",
    "csp",
    "django_celery_results",
    "django_htmx",
    "django_prometheus",
    "django_structlog",
    "health_check",
    "lucide",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "wallet_site.middleware.PrivacyHeadersMiddleware",
    "wallet_site.middleware.BodyLimitMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.PresenceMiddleware",
    "wallet_site.middleware.RequestLogMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "wallet_site.urls"
WSGI_APPLICATION = "wallet_site.wsgi.application"
ASGI_APPLICATION = "wallet_site.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "onchain.context_processors.site",
            ],
        },
    },
]

local_database = f"sqlite:///{VAR_DIR / 'latchkey.sqlite3'}"
DATABASES = {"default": stores.database(secret("DATABASE_URL", local_database))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "wallet_site.storage.ModuleStaticFilesStorage"},
}

# --- People and sessions -----------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.PasskeyBackend"]
LOGIN_URL = "home"
LOGIN_REDIRECT_URL = "home"

SESSION_ENGINE = "accounts.session_store"
SESSION_COOKIE_AGE = 12 * 60 * 60  # seconds after the sign-in, whatever is done (R14)
SESSION_IDLE_SECONDS = env.int("SESSION_IDLE_SECONDS", 15 * 60)  # without use (R14)
BROWSER_COOKIE_NAME = "browser"  # tells a browser that was here before; opens nothing
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
# In the session: a cookie of their own would not be a __Host- one (R32).
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
if SITE_IS_HTTPS:
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    BROWSER_COOKIE_NAME = "__Host-browser"
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

WEBAUTHN_RP_ID = env.str("WEBAUTHN_RP_ID", SITE_HOST)
WEBAUTHN_RP_NAME = env.str("WEBAUTHN_RP_NAME", "Latchkey")
WEBAUTHN_ORIGIN = SITE_ORIGIN  # exactly one (security.md R12)
CEREMONY_SECONDS = 300  # life of a challenge (R4)
# What providers are asked for, and whose passkeys are taken: attestation_policy.
ATTESTATION = env.str("ATTESTATION", "none")
AAGUID_ALLOW = env.list("AAGUID_ALLOW", [], subcast=str.strip)
AAGUID_DENY = env.list("AAGUID_DENY", [], subcast=str.strip)
# What happens in the transaction that registers a new person (accounts knows no chain).
REGISTRATION_HOOK = "onchain.views.registration.open_wallet"
# What a signed-in person's pages show around their content.
FRAME_HOOK = "onchain.views.access.frame_context"

# --- E-mail ------------------------------------------------------------------------
# For alerts only (R61). Without a URL the site offers none, and says so.

EMAIL_URL = secret("EMAIL_URL", "console://", is_required=False)
HAS_EMAIL = bool(EMAIL_URL)
email = dj_email_url.parse(EMAIL_URL or "dummy://")
EMAIL_BACKEND = email["EMAIL_BACKEND"]  # a KeyError means: no such scheme
EMAIL_HOST = email["EMAIL_HOST"]
EMAIL_PORT = email["EMAIL_PORT"]
EMAIL_HOST_USER = email["EMAIL_HOST_USER"]
EMAIL_HOST_PASSWORD = email["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS = email["EMAIL_USE_TLS"]
EMAIL_USE_SSL = email["EMAIL_USE_SSL"]
EMAIL_FILE_PATH = email["EMAIL_FILE_PATH"] or None
EMAIL_TIMEOUT = email["EMAIL_TIMEOUT"] or 10  # seconds, for each word of the server
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", f"{WEBAUTHN_RP_NAME} <no-reply@{SITE_HOST}>")

# --- Web security ------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {"DIRECTIVES": content_security.DIRECTIVES}
X_FRAME_OPTIONS = "DENY"
# With no-referrer a browser sends "Origin: null" with every form, which the CSRF check
# must refuse; same-origin tells other sites just as little.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = SITE_IS_HTTPS
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", 63_072_000) if SITE_IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SITE_IS_HTTPS
SECURE_HSTS_PRELOAD = SITE_IS_HTTPS
TRUST_PROXY_HEADERS = env.bool("TRUST_PROXY_HEADERS", False)
if TRUST_PROXY_HEADERS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Networks whose X-Forwarded-For is believed, for the limits below.
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", [], subcast=str.strip)
# Ceremonies that one address, or one signed-in person, may begin in a minute, and
# answer. An open landing page begins one every 4.5 minutes by itself.
CEREMONY_BEGINS_PER_MINUTE = env.int("CEREMONY_BEGINS_PER_MINUTE", 60)
# Failed answers for one passkey that one address may send in a minute.
CEREMONY_FAILURES_PER_MINUTE = env.int("CEREMONY_FAILURES_PER_MINUTE", 10)
CEREMONY_BODY_LIMIT = 64 * 1024  # bytes (R36)
BODY_LIMIT = 256 * 1024  # bytes (R36)
DATA_UPLOAD_MAX_MEMORY_SIZE = BODY_LIMIT

# --- Celery ------------------------------------------------------------------------

CELERY_BROKER_URL = secret("CELERY_BROKER_URL", "filesystem://")
CELERY_BROKER_TRANSPORT_OPTIONS = stores.broker_options(
    CELERY_BROKER_URL, folder=VAR_DIR / "broker"
)
# Holds the counts of rate limits and nothing else: what it forgets costs nothing.
CACHES = {"default": stores.cache(CELERY_BROKER_URL)}
CELERY_RESULT_BACKEND = "wallet_site.results.ResultsBackend"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_STORE_ERRORS_EVEN_IF_IGNORED = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True  # safe because every task is idempotent by rule
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SOFT_TIME_LIMIT = 60  # seconds
CELERY_TASK_TIME_LIMIT = 90  # seconds; acts in prefork only, see README
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")
SWEEP_SECONDS = 3  # a nudge that got lost costs at most this

# --- Operations --------------------------------------------------------------------

# Of who reads /metrics without being an operator; empty: nobody.
METRICS_TOKEN = secret("METRICS_TOKEN", is_required=False)
LOG_LEVEL = env.str("LOG_LEVEL", "INFO").upper()
LOGGING = logs.configuration(level=LOG_LEVEL, as_json=not LOCAL)
logs.configure_structlog()
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG  # one line, when it ends
DJANGO_STRUCTLOG_STATUS_4XX_LOG_LEVEL = logging.INFO
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
DJANGO_STRUCTLOG_CELERY_ENABLED = True  # a task's lines name the request that asked
DJANGO_STRUCTLOG_CELERY_DEFAULT_LOG_LEVEL = logging.DEBUG  # failures are louder
SENTRY_DSN = env.str("SENTRY_DSN", "")
logs.start_sentry(SENTRY_DSN)
# A newest block older than this means a frozen node, which is said within 30 seconds
# (R48). More than two slots of 12 seconds, so that one missed block is no alarm.
HEAD_STALE_SECONDS = 28
COMPONENT_STALE_SECONDS = 15  # after this silence a component counts as away
