"""ASGI entry point."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

from wallet_site.checks import require_safe_start

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wallet_site.settings")
application = get_asgi_application()
require_safe_start()
