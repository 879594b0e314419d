"""An SQLite database with every table and no row, migrated once for a whole run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings

from tests.sharing import locked

NAME = "latchkey.sqlite3"


def migrated(folder: Path) -> Path:
    """Return it, to be copied: who asks first makes it, the others wait."""
    folder.mkdir(exist_ok=True)
    path = folder / NAME
    with locked(folder):
        if not path.exists():
            unfinished = folder / "unfinished.sqlite3"
            subprocess.run(
                [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
                cwd=settings.BASE_DIR,
                env=os.environ | {"DATABASE_URL": f"sqlite:///{unfinished}"},
                check=True,
            )
            unfinished.rename(path)
    return path
