"""Rows: a cache of the chain, and the queue of what is left to do."""

from __future__ import annotations

from onchain.models.account_lookup import AccountLookup
from onchain.models.acknowledgement import Acknowledgement
from onchain.models.alert_contact import AlertContact, UnwarnedAcknowledgement
from onchain.models.budget import Budget, NetworkQuota
from onchain.models.chain import Block, Chain, Heartbeat
from onchain.models.configuration import (
    ConfigurationAcknowledgement,
    ForeignConfiguration,
)
from onchain.models.contact import Contact
from onchain.models.formation import Formation, Seat
from onchain.models.guardian_approval import GuardianApproval
from onchain.models.invitation import Invitation
from onchain.models.journal import JournalEntry
from onchain.models.key_proof import KeyProof
from onchain.models.membership import Membership, Role
from onchain.models.module_code import ModuleCode
from onchain.models.operation_signature import OperationSignature
from onchain.models.owner import Owner
from onchain.models.recovery import Guardian, RecoveryRequest, RecoverySetup
from onchain.models.recovery_claim import AccountClaim, RecoveryClaim
from onchain.models.recovery_drill import DrillAnswer, RecoveryDrill
from onchain.models.recovery_lookup import RecoveryLookup
from onchain.models.recovery_nickname import RecoveryNickname
from onchain.models.relayer import RelayerAttempt, RelayerTransaction
from onchain.models.reminder import Reminder
from onchain.models.safe import Safe
from onchain.models.sponsorship import PaymasterDeposit, Sponsorship
from onchain.models.transfer import Transfer
from onchain.models.unsponsored import Unsponsored
from onchain.models.user_operation import UserOperation
from onchain.models.wallet_proof import WalletProof

__all__ = (
    "AccountClaim",
    "AccountLookup",
    "Acknowledgement",
    "AlertContact",
    "Block",
    "Budget",
    "Chain",
    "ConfigurationAcknowledgement",
    "Contact",
    "DrillAnswer",
    "ForeignConfiguration",
    "Formation",
    "Guardian",
    "GuardianApproval",
    "Heartbeat",
    "Invitation",
    "JournalEntry",
    "KeyProof",
    "Membership",
    "ModuleCode",
    "NetworkQuota",
    "OperationSignature",
    "Owner",
    "PaymasterDeposit",
    "RecoveryClaim",
    "RecoveryDrill",
    "RecoveryLookup",
    "RecoveryNickname",
    "RecoveryRequest",
    "RecoverySetup",
    "RelayerAttempt",
    "RelayerTransaction",
    "Reminder",
    "Role",
    "Safe",
    "Seat",
    "Sponsorship",
    "Transfer",
    "Unsponsored",
    "UnwarnedAcknowledgement",
    "UserOperation",
    "WalletProof",
)
