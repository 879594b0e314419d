"""The Latchkey site: settings, URLs, and the processes that serve it."""

from __future__ import annotations

import atexit
import gc

# Starting makes a hundred thousand objects that all stay. Looking through them for
# garbage again and again takes a third of the time that every process needs to start,
# and one last time, much of what it needs to end.
gc.set_threshold(50_000, 20, 20)
atexit.register(gc.freeze)

from wallet_site.lean_imports import import_key_files  # noqa: E402

import_key_files()

from wallet_site.celery import app as celery_app  # noqa: E402

__all__ = ("celery_app",)
