"""How SQLite, which the fast tests run on, goes about a query."""

from __future__ import annotations

from django.db import connection


def plan_of(sql: str) -> str:
    """Return the steps of a query, in SQLite's words."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return " ".join(str(row) for row in cursor.fetchall())
