"""Running the same thing many times at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections


def all_at_once(count: int, work: Callable[[], Any]) -> list[Any]:
    """Return what each of the parallel runs returned or raised."""
    barrier = threading.Barrier(count)

    def run(_place: int) -> Any:
        try:
            barrier.wait()
            return work()
        except Exception as error:  # noqa: BLE001 - the caller looks at it
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=count) as pool:
        return list(pool.map(run, range(count)))
