"""The environment, read once: where secrets come from, and which mode this is.

SITE_MODE decides what may be defaulted: ``local`` has working defaults for one
machine, ``production`` refuses to start without its secrets. Only the two modules of
settings import this.
"""

from __future__ import annotations

from pathlib import Path

from environs import Env

BASE_DIR = Path(__file__).resolve().parent.parent

env = Env()
env.read_env(str(BASE_DIR / ".env"), recurse=False)

SITE_MODE = env.str("SITE_MODE", "local")
if SITE_MODE not in {"local", "production"}:
    raise ValueError("SITE_MODE must be 'local' or 'production'.")
LOCAL = SITE_MODE == "local"

# Everything the site writes: database, broker folder, collected files, chain state.
VAR_DIR = Path(env.str("VAR_DIR", str(BASE_DIR / "var")))


def secret(name: str, local_default: str = "", *, is_required: bool = True) -> str:
    """Return the secret from NAME, else the file NAME_FILE, else the local default."""
    value = env.str(name, "")
    path = env.str(f"{name}_FILE", "")
    if not value and path:
        value = Path(path).read_text().strip()
    if not value and LOCAL:
        value = local_default
    if not value and is_required:
        raise ValueError(f"{name} or {name}_FILE is required here: see .env.example.")
    return value
