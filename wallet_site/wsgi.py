"""WSGI entry point."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from wallet_site.checks import require_safe_start

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wallet_site.settings")
application = get_wsgi_application()
require_safe_start()
