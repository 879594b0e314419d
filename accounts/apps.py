"""People, their passkeys, and the ceremonies that prove who is there."""

from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Users and credentials; knows nothing of any chain."""

    name = "accounts"
