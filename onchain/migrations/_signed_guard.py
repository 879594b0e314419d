"""What a person signed can never be changed in its row (security.md R24).

A trigger holds that below Django: from the moment the first of its owners signed an
operation, the columns that its hashes and its intent are made of stay as they are, and
only its state and outcome move. A mistaken save() fails, and so does a statement typed into the database.

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
WHEN (
    ((OLD.{first} IS NOT NULL OR OLD.signed_at IS NOT NULL)
        AND ({old}) IS DISTINCT FROM ({new}))
    OR (OLD.signed_at IS NOT NULL AND OLD.signed_at IS DISTINCT FROM NEW.signed_at)
)
EXECUTE FUNCTION {name}();
"""

SQLITE = """
CREATE TRIGGER {name}
BEFORE UPDATE ON {table}
FOR EACH ROW
WHEN ((OLD.{first} IS NOT NULL OR OLD.signed_at IS NOT NULL)
        AND ({old}) IS NOT ({new}))
    OR (OLD.signed_at IS NOT NULL AND OLD.signed_at IS NOT NEW.signed_at)
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


def guard(columns: Sequence[str], *, first: str = "signed_at") -> migrations.RunPython:
    """Return the operation that lets the trigger guard these columns, and no others.

    Args:
        first: the column whose value fixes the row; ``signed_at`` does so in any case,
            and is fixed by itself.
    """
    add = partial(add_guard, columns=columns, first=first)
    return migrations.RunPython(add, remove_guard)


def unguard() -> migrations.RunPython:
    """Return the operation before one that alters a guarded column.

    PostgreSQL alters no column that a trigger looks at.
    """
    return migrations.RunPython(remove_guard, migrations.RunPython.noop)


def add_guard(
    _apps: Any, schema_editor: Any, *, columns: Sequence[str], first: str
) -> None:
    """Create the trigger; an unknown database fails here instead of going unguarded."""
    remove_guard(_apps, schema_editor)
    statement = CREATIONS[schema_editor.connection.vendor].format(
        name=NAME,
        table=TABLE,
        message=MESSAGE,
        first=first,
        old=", ".join(f"OLD.{column}" for column in columns),
        new=", ".join(f"NEW.{column}" for column in columns),
    )
    schema_editor.execute(statement)


def remove_guard(_apps: Any, schema_editor: Any) -> None:
    """Drop the trigger, so that the migration can be undone."""
    for statement in REMOVALS[schema_editor.connection.vendor]:
        schema_editor.execute(statement)
