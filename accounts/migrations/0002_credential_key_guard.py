"""The key columns of a credential can never be updated (security.md R7).

A trigger holds that below Django, so that neither a mistaken save() nor a statement typed
into the database can put one person's key in place of another's. SQLite rebuilds a table
when a later migration alters it, which drops its triggers: such a migration must run
``add_guard`` again. A test on the migrated database would notice.
"""

from __future__ import annotations

from django.db import migrations

MESSAGE = "the key of a credential never changes"

POSTGRESQL_GUARD = f"""
CREATE FUNCTION accounts_credential_key_guard() RETURNS trigger AS $guard$
BEGIN
    RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'integrity_constraint_violation';
END;
$guard$ LANGUAGE plpgsql;
CREATE TRIGGER accounts_credential_key_guard
BEFORE UPDATE ON accounts_credential
FOR EACH ROW
WHEN (
    (OLD.id, OLD.user_id, OLD.credential_id, OLD.public_key_x, OLD.public_key_y)
    IS DISTINCT FROM
    (NEW.id, NEW.user_id, NEW.credential_id, NEW.public_key_x, NEW.public_key_y)
)
EXECUTE FUNCTION accounts_credential_key_guard();
"""

SQLITE_GUARD = f"""
CREATE TRIGGER accounts_credential_key_guard
BEFORE UPDATE ON accounts_credential
FOR EACH ROW
WHEN
    (OLD.id, OLD.user_id, OLD.credential_id, OLD.public_key_x, OLD.public_key_y)
    IS NOT
    (NEW.id, NEW.user_id, NEW.credential_id, NEW.public_key_x, NEW.public_key_y)
BEGIN
    SELECT RAISE(ABORT, '{MESSAGE}');
END
"""

REMOVALS = {
    "postgresql": [
        "DROP TRIGGER IF EXISTS accounts_credential_key_guard ON accounts_credential",
        "DROP FUNCTION IF EXISTS accounts_credential_key_guard()",
    ],
    "sqlite": ["DROP TRIGGER IF EXISTS accounts_credential_key_guard"],
}
GUARDS = {"postgresql": POSTGRESQL_GUARD, "sqlite": SQLITE_GUARD}


def remove_guard(apps, schema_editor):
    """Drop the trigger, so that the migration can be undone."""
    for statement in REMOVALS[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def add_guard(apps, schema_editor):
    """Create the trigger; an unknown database fails here instead of going unguarded."""
    remove_guard(apps, schema_editor)
    schema_editor.execute(GUARDS[schema_editor.connection.vendor])


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [migrations.RunPython(add_guard, remove_guard)]
