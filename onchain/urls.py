"""Addresses of accounts and operations."""

from __future__ import annotations

from django.conf import settings
from django.urls import path

from onchain.views import (
    account_lookups,
    configurations,
    new_accounts,
    only_key,
    operations,
    passkey_accounts,
    passkey_removal,
    receiving,
    safes,
    sending,
)

app_name = "onchain"

SAFE = "safes/<int:chain_id>/<str:address>/"
OPERATION = "operations/<int:pk>/"
LOOKUP = "accounts/add/<int:pk>/"
PASSKEY = "passkeys/<int:pk>/accounts/"

urlpatterns = [
    path(SAFE, safes.safe_detail, name="safe-detail"),
    path(f"{SAFE}overview", safes.safe_overview, name="safe-overview"),
    path(
        f"{SAFE}deploy-yourself",
        safes.safe_deploy_yourself,
        name="safe-deploy-yourself",
    ),
    path(f"{SAFE}recent", safes.safe_activity, name="safe-activity"),
    path(f"{SAFE}activity/", safes.activity, name="activity"),
    path(f"{SAFE}settings/", safes.safe_settings, name="settings"),
    path(f"{SAFE}only-key-later", only_key.only_key_later, name="only-key-later"),
    path(
        f"{SAFE}only-key-acknowledge",
        only_key.only_key_acknowledge,
        name="only-key-acknowledge",
    ),
    path(f"{SAFE}settings/only-key-undo", only_key.only_key_undo, name="only-key-undo"),
    path(f"{SAFE}send/", sending.send, name="send"),
    path(f"{SAFE}receive/", receiving.receive, name="receive"),
    path(f"{SAFE}receive/card", receiving.receive_card, name="receive-card"),
    path(f"{SAFE}receive/prove", receiving.prove, name="prove"),
    path(OPERATION, operations.operation, name="operation"),
    path(f"{OPERATION}card", operations.operation_card, name="operation-card"),
    path(f"{OPERATION}sign", operations.sign, name="sign"),
    path(f"{OPERATION}withdraw", operations.withdraw, name="withdraw"),
    path(f"{OPERATION}prepare-again", operations.prepare_again, name="prepare-again"),
    path(PASSKEY, passkey_accounts.passkey_accounts_page, name="passkey-accounts"),
    path(
        f"{PASSKEY}card",
        passkey_accounts.passkey_accounts_card,
        name="passkey-accounts-card",
    ),
    path(f"{PASSKEY}prove", passkey_accounts.prove_passkey, name="prove-passkey"),
    path(f"{PASSKEY}add", passkey_accounts.add_to_accounts, name="add-to-accounts"),
]

urlpatterns += [
    path("accounts/new/", new_accounts.account_new, name="account-new"),
    path("accounts/add/", account_lookups.account_add, name="account-add"),
    path(LOOKUP, account_lookups.account_lookup, name="account-lookup"),
    path(
        f"{LOOKUP}card", account_lookups.account_lookup_card, name="account-lookup-card"
    ),
    path(
        f"{LOOKUP}prove",
        account_lookups.account_lookup_prove,
        name="account-lookup-prove",
    ),
    path(
        f"{SAFE}receive/acknowledge",
        configurations.configuration_acknowledge,
        name="configuration-acknowledge",
    ),
    path(
        "passkeys/<int:pk>/remove/",
        passkey_removal.passkey_remove,
        name="passkey-remove",
    ),
    path(
        "passkeys/<int:pk>/remove/finish",
        passkey_removal.passkey_removal_finish,
        name="passkey-removal-finish",
    ),
]

if settings.LOCAL_CHAIN:
    # The local chain's convenience has no URL anywhere else (security.md R70).
    urlpatterns.append(path(f"{SAFE}test-eth", safes.faucet, name="faucet"))
