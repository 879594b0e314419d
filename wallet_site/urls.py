"""The site's URLs."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView

from onchain.views.pages import help_page
from onchain.views.safes import home
from wallet_site.health import HealthView

urlpatterns = [
    path("", home, name="home"),
    path("help/", help_page, name="help"),
    path("", include("accounts.urls")),
    path("", include("onchain.urls")),
    path("health/", HealthView.as_view(), name="health"),
    path("metrics", require_safe(ExportToDjangoView), name="metrics"),
    path("admin/", admin.site.urls),
]
