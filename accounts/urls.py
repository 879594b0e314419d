"""Addresses of the ceremonies; no trailing slash, no namespace."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
