"""One line per event, for web, worker, beat and follower alike; and Sentry if wanted.

Standard logging and structlog end in the same handler on standard error: text to read
on one's own machine, JSON in production. Lines name what happened and to which row. No
body of a request, no query string, no cookie and no local variable is ever part of one
(security.md R40).
"""

from __future__ import annotations

import sys
from typing import Any

import sentry_sdk
import structlog
from sentry_sdk.integrations.logging import ignore_logger
from structlog.typing import EventDict, Processor

# Asked for every second or so by pages and monitors: worth a line when they fail.
POLLED = ("/overview", "/recent", "/card", "/health/", "/metrics")

# What every line gets, whoever writes it.
COMMON: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
)


def drop_polling(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Leave out the requests that pages repeat by themselves and that went well."""
    if event.get("event") == "request_finished" and event.get("code") == 200:
        path = str(event.get("request", "")).partition(" ")[2]
        if path.endswith(POLLED):
            raise structlog.DropEvent
    return event


def configure_structlog() -> None:
    """Hand what structlog's loggers say to standard logging."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            drop_polling,
            *COMMON,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def configuration(*, level: str, as_json: bool) -> dict[str, Any]:
    """Return LOGGING: one handler, and who may say how much."""
    nothing = {"handlers": ["null"], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": COMMON,
                "processors": _renderers(as_json=as_json),
            }
        },
        "handlers": {
            "standard-error": {"class": "logging.StreamHandler", "formatter": "line"},
            "null": {"class": "logging.NullHandler"},
        },
        "root": {"handlers": ["standard-error"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": "NOTSET"},
            # The request's own line says the same, and so does the task's.
            "django.request": nothing,
            "django.server": nothing,
            "celery.app.trace": {"level": "CRITICAL"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING"},
            # `manage.py up` waits for its "ready", at any level.
            "celery.apps.worker": {"level": "INFO"},
            # A failed check is the answer of /health/, not news to the log.
            "health_check": {"level": "CRITICAL"},
            "kombu.connection": {"level": "ERROR"},  # a folder has no host name
            # Below this level they print URLs, which may hold keys, the values in SQL
            # and all that a template was given.
            "urllib3": {"level": "WARNING"},
            "django.template": {"level": "WARNING"},
            "django.db.backends": {"level": "WARNING"},
        },
    }


def _renderers(*, as_json: bool) -> list[Processor]:
    without_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if as_json:
        return [
            without_meta,
            structlog.processors.format_exc_info,  # no local variables
            structlog.processors.JSONRenderer(),
        ]
    return [
        without_meta,
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            exception_formatter=structlog.dev.plain_traceback,  # no local variables
        ),
    ]


def start_sentry(dsn: str) -> None:
    """Report errors to Sentry, without anything that belongs to a person."""
    if not dsn:
        return
    sentry_sdk.init(
        dsn=dsn,
        send_default_pii=False,
        max_request_body_size="never",
        include_local_variables=False,
    )
    ignore_logger("django.security.DisallowedHost")
