"""Addresses of accounts and operations."""

from __future__ import annotations

from django.conf import settings
from django.urls import path

from onchain.views import operations, receiving, safes, sending

app_name = "onchain"

SAFE = "safes/<int:chain_id>/<str:address>/"
OPERATION = "operations/<int:pk>/"

urlpatterns = [
    path(SAFE, safes.safe_detail, name="safe-detail"),
    path(f"{SAFE}overview", safes.safe_overview, name="safe-overview"),
    path(f"{SAFE}recent", safes.safe_activity, name="safe-activity"),
    path(f"{SAFE}activity/", safes.activity, name="activity"),
    path(f"{SAFE}settings/", safes.safe_settings, name="settings"),
    path(f"{SAFE}send/", sending.send, name="send"),
    path(f"{SAFE}receive/", receiving.receive, name="receive"),
    path(f"{SAFE}receive/card", receiving.receive_card, name="receive-card"),
    path(f"{SAFE}receive/prove", receiving.prove, name="prove"),
    path(OPERATION, operations.operation, name="operation"),
    path(f"{OPERATION}card", operations.operation_card, name="operation-card"),
    path(f"{OPERATION}sign", operations.sign, name="sign"),
    path(f"{OPERATION}withdraw", operations.withdraw, name="withdraw"),
    path(f"{OPERATION}prepare-again", operations.prepare_again, name="prepare-again"),
]

if settings.LOCAL_CHAIN:
    # The local chain's convenience has no URL anywhere else (security.md R70).
    urlpatterns.append(path(f"{SAFE}test-eth", safes.faucet, name="faucet"))
