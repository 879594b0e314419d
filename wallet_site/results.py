"""Where Celery keeps the errors of tasks: in the database, as far as there is one.

django-celery-results lets an error of the database through. Celery takes that for an
error of its own, never acknowledges the message, and keeps its place in the prefetch
window: as many tasks as there are threads, all failing while PostgreSQL restarts, and
the worker takes nothing any more (seen; security.md R51).
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import DatabaseError
from django_celery_results.backends.database import DatabaseBackend

logger = logging.getLogger(__name__)


class ResultsBackend(DatabaseBackend):
    """Keeps what it can; the rows say what is left to do, not the results."""

    def _store_result(self, task_id: str, *args: Any, **options: Any) -> Any:
        try:
            return super()._store_result(task_id, *args, **options)
        except DatabaseError:
            logger.exception("the result of task %s is not kept", task_id)
            return None
