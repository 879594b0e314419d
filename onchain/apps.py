"""The app of accounts on chain."""

from __future__ import annotations

from django.apps import AppConfig


class OnchainConfig(AppConfig):
    """Safes, user operations, the relayer and the follower."""

    name = "onchain"
    verbose_name = "On chain"
