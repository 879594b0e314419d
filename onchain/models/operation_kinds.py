"""What a person meant by an operation."""

from __future__ import annotations

from django.db import models


class Kind(models.TextChoices):
    """What the person meant; the review and the intent follow from it."""

    PAYMENT = "payment", "Payment"
    ADD_PASSKEY = "add-passkey", "Add a passkey"
    ADD_WALLET = "add-wallet", "Add a wallet address"
    SWAP_OWNER = "swap-owner", "Replace an owner"
    REMOVE_OWNER = "remove-owner", "Remove an owner"
    CHANGE_THRESHOLD = "change-threshold", "Change how many must approve"
    DISABLE_MODULE = "disable-module", "Remove a module"
    REMOVE_GUARD = "remove-guard", "Remove the guard"
    CANCEL = "cancel", "Cancel for certain"
    SET_UP_RECOVERY = "set-up-recovery", "Set up recovery"
    ADD_GUARDIAN = "add-guardian", "Add a guardian"
    REVOKE_GUARDIAN = "revoke-guardian", "Remove a guardian"
    CHANGE_GUARDIANS = "change-guardians", "Change how many guardians must approve"
    CANCEL_RECOVERY = "cancel-recovery", "Cancel recovery"
    REMOVE_RECOVERY = "remove-recovery", "Turn recovery off"


# Changes of who may bring the account back, and what ends such an attempt.
GUARDIAN_KINDS = (
    Kind.SET_UP_RECOVERY,
    Kind.ADD_GUARDIAN,
    Kind.REVOKE_GUARDIAN,
    Kind.CHANGE_GUARDIANS,
    Kind.CANCEL_RECOVERY,
    Kind.REMOVE_RECOVERY,
)
