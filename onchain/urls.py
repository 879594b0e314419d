"""Addresses of accounts and operations."""

from __future__ import annotations

from django.conf import settings
from django.urls import path

from onchain import recovery_urls
from onchain.views import (
    account_lookups,
    alert_contacts,
    configurations,
    contacts,
    formation_wallets,
    formations,
    guardian_passkeys,
    guardian_wallets,
    invitation_links,
    invitation_wallets,
    invitations,
    loss_plan,
    new_accounts,
    only_key,
    operations,
    owners,
    passkey_accounts,
    passkey_removal,
    queue,
    receiving,
    recovered,
    recovery,
    recovery_drills,
    recovery_kit,
    recovery_nicknames,
    safes,
    sending,
    wallet_owners,
)

app_name = "onchain"

SAFE = "safes/<int:chain_id>/<str:address>/"
OPERATION = "operations/<int:pk>/"
LOOKUP = "accounts/add/<int:pk>/"
INVITED = f"{SAFE}owners/invitations/<int:pk>/"  # for who invites
FORMATION = "accounts/shared/<int:pk>/"
INVITATION = "invitations/<int:pk>/"  # for who was invited
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
    path(f"{SAFE}activity/waiting/", queue.queue, name="queue"),
    path(f"{SAFE}contacts/", contacts.contacts, name="contacts"),
    path(f"{SAFE}contacts/add", contacts.contact_add, name="contact-add"),
    path(f"{SAFE}contacts/rename", contacts.contact_rename, name="contact-rename"),
    path(f"{SAFE}contacts/remove", contacts.contact_remove, name="contact-remove"),
    path(f"{SAFE}contacts/import", contacts.contacts_import, name="contacts-import"),
    path(f"{SAFE}contacts/export", contacts.contacts_export, name="contacts-export"),
    path(f"{SAFE}settings/rename", contacts.account_rename, name="account-rename"),
    path(f"{SAFE}settings/", safes.safe_settings, name="settings"),
    path(f"{SAFE}second-way/", only_key.second_way, name="second-way"),
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
    path(
        f"{OPERATION}sign-with-wallet",
        operations.sign_with_wallet,
        name="sign-with-wallet",
    ),
    path(f"{OPERATION}withdraw", operations.withdraw, name="withdraw"),
    path(f"{OPERATION}remind", queue.remind, name="remind"),
    path(f"{OPERATION}cancel", queue.cancel, name="cancel"),
    path(f"{OPERATION}send-now", queue.send_now, name="send-now"),
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
    path("first-account", new_accounts.account_first, name="account-first"),
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

urlpatterns += [
    path("accounts/shared/", formations.account_shared, name="account-shared"),
    path(FORMATION, formations.formation, name="formation"),
    path(f"{FORMATION}card", formations.formation_card, name="formation-card"),
    path(f"{FORMATION}confirm", formations.formation_confirm, name="formation-confirm"),
    path(
        f"{FORMATION}prove", formation_wallets.formation_prove, name="formation-prove"
    ),
    path(f"{FORMATION}change", formations.formation_change, name="formation-change"),
    path(f"{FORMATION}cancel", formations.formation_cancel, name="formation-cancel"),
    path(f"{FORMATION}link", formations.formation_link, name="formation-link"),
    path(f"{SAFE}owners/", owners.owners, name="owners"),
    path(f"{SAFE}owners/remove/", owners.owner_remove, name="owner-remove"),
    path(f"{SAFE}owners/replace/", owners.owner_replace, name="owner-replace"),
    path(f"{SAFE}owners/threshold/", owners.owner_threshold, name="owner-threshold"),
    path(
        f"{SAFE}owners/configuration",
        owners.configuration_remove,
        name="configuration-remove",
    ),
    path(f"{SAFE}owners/invite/", invitations.invite, name="invite"),
    path(INVITED, invitations.invited, name="invited"),
    path(f"{INVITED}card", invitations.invited_card, name="invited-card"),
    path(f"{INVITED}confirm", invitations.invited_confirm, name="invited-confirm"),
    path(f"{INVITED}add", invitations.invited_add, name="invited-add"),
    path(f"{INVITED}revoke", invitations.invited_revoke, name="invited-revoke"),
    path(
        f"{SAFE}settings/end-role-<int:pk>",
        invitations.membership_end,
        name="membership-end",
    ),
    path(f"{SAFE}owners/leave", invitations.membership_leave, name="membership-leave"),
    path("invitation", invitation_links.invitation_link, name="invitation-link"),
    path("invitation/open", invitation_links.invitation_open, name="invitation-open"),
    path(INVITATION, invitation_links.invitation, name="invitation"),
    path(f"{INVITATION}card", invitation_links.invitation_card, name="invitation-card"),
    path(
        f"{INVITATION}accept",
        invitation_links.invitation_accept,
        name="invitation-accept",
    ),
    path(
        f"{INVITATION}wallet/",
        invitation_wallets.invitation_wallet,
        name="invitation-wallet",
    ),
    path(
        f"{INVITATION}wallet/accept",
        invitation_wallets.invitation_wallet_accept,
        name="invitation-wallet-accept",
    ),
]

urlpatterns += [
    path(f"{SAFE}owners/wallet/", wallet_owners.wallet_owner, name="wallet-owner"),
    path(
        f"{SAFE}owners/wallet/card",
        wallet_owners.wallet_owner_card,
        name="wallet-owner-card",
    ),
    path(
        f"{SAFE}owners/wallet/prove",
        wallet_owners.wallet_owner_prove,
        name="wallet-owner-prove",
    ),
    path(
        f"{SAFE}owners/wallet/add",
        wallet_owners.wallet_owner_add,
        name="wallet-owner-add",
    ),
]

urlpatterns += [
    path(f"{SAFE}recovery/", recovery.recovery, name="recovery"),
    path(f"{SAFE}recovery/set-up/", recovery.recovery_set_up, name="recovery-set-up"),
    path(f"{SAFE}recovery/add/", recovery.guardian_add, name="guardian-add"),
    path(f"{SAFE}recovery/remove/", recovery.guardian_revoke, name="guardian-revoke"),
    path(
        f"{SAFE}recovery/threshold/",
        recovery.guardian_threshold,
        name="guardian-threshold",
    ),
    path(f"{SAFE}recovery/turn-off", recovery.recovery_end, name="recovery-end"),
    path(f"{SAFE}recovery/cancel", recovery.recovery_cancel, name="recovery-cancel"),
    path(
        f"{SAFE}recovery/wallet/",
        guardian_wallets.guardian_wallet,
        name="guardian-wallet",
    ),
    path(
        f"{SAFE}recovery/wallet/prove",
        guardian_wallets.guardian_wallet_prove,
        name="guardian-wallet-prove",
    ),
    path(
        f"{SAFE}recovery/nickname/",
        recovery_nicknames.recovery_nickname,
        name="recovery-nickname",
    ),
    path(
        f"{SAFE}recovery/nickname/choose",
        recovery_nicknames.recovery_nickname_choose,
        name="recovery-nickname-choose",
    ),
    path(
        f"{SAFE}recovery/nickname/remove",
        recovery_nicknames.recovery_nickname_remove,
        name="recovery-nickname-remove",
    ),
    path(f"{SAFE}recovery/plan/", loss_plan.loss_plan, name="loss-plan"),
    path(f"{SAFE}recovery/plan/card", loss_plan.loss_plan_card, name="loss-plan-card"),
    path(
        f"{SAFE}recovery/passkey/",
        guardian_passkeys.guardian_passkey,
        name="guardian-passkey",
    ),
    path(
        f"{SAFE}recovery/passkey/prove",
        guardian_passkeys.guardian_passkey_prove,
        name="guardian-passkey-prove",
    ),
    path(
        f"{SAFE}recovery/checks",
        guardian_passkeys.guardian_checks,
        name="guardian-checks",
    ),
    path(f"{SAFE}recovered/", recovered.recovered, name="recovered"),
    path(f"{SAFE}recovered/done", recovered.recovered_done, name="recovered-done"),
    path(f"{SAFE}recovery/cancel-kit", recovery_kit.recovery_kit, name="recovery-kit"),
    path(
        f"{SAFE}recovery/warned/", alert_contacts.alert_contacts, name="alert-contacts"
    ),
    path(
        f"{SAFE}recovery/warned/add",
        alert_contacts.alert_contact_add,
        name="alert-contact-add",
    ),
    path(
        f"{SAFE}recovery/warned/remove",
        alert_contacts.alert_contact_remove,
        name="alert-contact-remove",
    ),
    path(f"{SAFE}recovery/rehearsal", recovery_drills.drill_card, name="drill-card"),
    path(
        f"{SAFE}recovery/rehearsal-start",
        recovery_drills.drill_start,
        name="drill-start",
    ),
    path(f"{SAFE}recovery/rehearsal-end", recovery_drills.drill_end, name="drill-end"),
    path(
        f"{SAFE}recovery/rehearsal-link", recovery_drills.drill_link, name="drill-link"
    ),
]

urlpatterns += recovery_urls.urlpatterns

if settings.LOCAL_CHAIN:
    # The local chain's convenience has no URL anywhere else (security.md R70).
    urlpatterns.append(path(f"{SAFE}test-eth", safes.faucet, name="faucet"))
