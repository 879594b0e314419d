"""What a person signed can never be changed in its row (security.md R24).

A trigger holds that below Django: from the moment an operation is signed, the columns
that its hashes and its intent are made of stay as they are, and only its state and
outcome move. A mistaken save() fails, and so does a statement typed into the database.

SQLite rebuilds a table when a migration alters it, which drops its triggers: such a
migration ends with ``guard`` again, and one that adds a column to what is signed names
it as well. A test on the migrated database would notice.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.db import migrations

MESSAGE = "what was signed never changes"
NAME = "onchain_useroperation_signed_guard"
TABLE = "onchain_useroperation"

POSTGRESQL = """
CREATE FUNCTION {name}() RETURNS trigger AS $guard$
BEGIN
    RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation';
END;
$guard$ LANGUAGE plpgsql;
CREATE TRIGGER {name}
BEFORE UPDATE ON {table}
FOR EACH ROW
WHEN (OLD.signed_at IS NOT NULL AND ({old}) IS DISTINCT FROM ({new}))
EXECUTE FUNCTION {name}();
"""

SQLITE = """
CREATE TRIGGER {name}
BEFORE UPDATE ON {table}
FOR EACH ROW
WHEN OLD.signed_at IS NOT NULL AND ({old}) IS NOT ({new})
BEGIN
    SELECT RAISE(ABORT, '{message}');
END
"""

CREATIONS = {"postgresql": POSTGRESQL, "sqlite": SQLITE}
REMOVALS = {
    "postgresql": [
        f"DROP TRIGGER IF EXISTS {NAME} ON {TABLE}",
        f"DROP FUNCTION IF EXISTS {NAME}()",
    ],
    "sqlite": [f"DROP TRIGGER IF EXISTS {NAME}"],
}


def guard(columns: Sequence[str]) -> migrations.RunPython:
    """Return the operation that lets the trigger guard these columns, and no others."""
    return migrations.RunPython(partial(add_guard, columns=columns), remove_guard)


def add_guard(_apps: Any, schema_editor: Any, *, columns: Sequence[str]) -> None:
    """Create the trigger; an unknown database fails here instead of going unguarded."""
    remove_guard(_apps, schema_editor)
    statement = CREATIONS[schema_editor.connection.vendor].format(
        name=NAME,
        table=TABLE,
        message=MESSAGE,
        old=", ".join(f"OLD.{column}" for column in columns),
        new=", ".join(f"NEW.{column}" for column in columns),
    )
    schema_editor.execute(statement)


def remove_guard(_apps: Any, schema_editor: Any) -> None:
    """Drop the trigger, so that the migration can be undone."""
    for statement in REMOVALS[schema_editor.connection.vendor]:
        schema_editor.execute(statement)
