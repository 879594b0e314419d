"""Accounts whose recovery was never read are read again, guardians and all.

Before recovery was followed an account may have got guardians on another site. The
follower finds them with the account's owners, which it reads where none were read yet.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations


def mark(apps: Any, _schema_editor: Any) -> None:
    """Let the follower read each account that is on chain and has no set-up here."""
    safes = apps.get_model("onchain", "Safe").objects.filter(status="deployed")
    safes.filter(recovery_setups__isnull=True).update(owners_synced_block=None)


class Migration(migrations.Migration):
    dependencies = [
        ("onchain", "0035_other_module_code"),
    ]

    operations = [migrations.RunPython(mark, migrations.RunPython.noop)]
