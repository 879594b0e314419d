"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def is_written(path: Path) -> bool:
    """Whether there is a file; an empty one is left of a write that was interrupted."""
    return path.exists() and path.stat().st_size > 0


def create(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read; one that holds something stays.

    Whoever looks sees no file or the whole one, also after a crash or on a full disk.
    """
    if is_written(path):
        return
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    aside = Path(name)  # 0600, beside the file, so that it can take its name
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _name(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def _name(aside: Path, path: Path) -> None:
    try:
        os.link(aside, path)  # fails where a file is, which a rename would not
    except OSError:  # there is one, or this file system has no links
        if not is_written(path):
            aside.replace(path)
