"""What a worker does between two reads of one request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from tests.undoing import undone

MOST = 100  # queries of one page: far above what any has


@contextmanager
def after_query(number: int, act: Callable[[], object]) -> Iterator[list[str]]:
    """Act once, right after so many queries; yields the queries that were made."""
    made: list[str] = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        answer = execute(sql, *rest)
        made.append(sql)
        if len(made) == number:
            act()
        return answer

    with connection.execute_wrapper(note):
        yield made


def whenever(act: Callable[[], object], look: Callable[[], str]) -> Iterator[str]:
    """Yield what ``look`` shows when ``act`` happens after each of its queries."""
    for number in range(1, MOST):
        with undone():
            with after_query(number, act) as made:
                shown = look()
            if len(made) < number:
                return
            yield shown
    raise AssertionError("the page never came to an end")
