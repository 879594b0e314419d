"""The site's URLs."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from onchain.views.pages import help_page
from onchain.views.passkeys import passkeys, passkeys_export
from onchain.views.safes import home
from wallet_site.health import HealthView
from wallet_site.metrics import metrics

urlpatterns = [
    path("", home, name="home"),
    path("help/", help_page, name="help"),
    path("passkeys/", passkeys, name="passkeys"),
    path("passkeys/export", passkeys_export, name="passkeys-export"),
    path("", include("accounts.urls")),
    path("", include("onchain.urls")),
    path("health/", HealthView.as_view(), name="health"),
    path("metrics", metrics, name="metrics"),
    path("admin/", admin.site.urls),
]
