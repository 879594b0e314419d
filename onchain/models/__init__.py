"""Rows: a cache of the chain, and the queue of what is left to do."""

from __future__ import annotations

from onchain.models.account_lookup import AccountLookup
from onchain.models.acknowledgement import Acknowledgement
from onchain.models.budget import Budget, NetworkQuota
from onchain.models.chain import Block, Chain, Heartbeat
from onchain.models.configuration import (
    ConfigurationAcknowledgement,
    ForeignConfiguration,
)
from onchain.models.journal import JournalEntry
from onchain.models.key_proof import KeyProof
from onchain.models.operation_signature import OperationSignature
from onchain.models.owner import Owner
from onchain.models.relayer import RelayerAttempt, RelayerTransaction
from onchain.models.safe import Safe
from onchain.models.sponsorship import PaymasterDeposit, Sponsorship
from onchain.models.transfer import Transfer
from onchain.models.unsponsored import Unsponsored
from onchain.models.user_operation import UserOperation

__all__ = (
    "Acknowledgement",
    "AccountLookup",
    "Block",
    "Budget",
    "Chain",
    "ConfigurationAcknowledgement",
    "ForeignConfiguration",
    "Heartbeat",
    "JournalEntry",
    "KeyProof",
    "NetworkQuota",
    "OperationSignature",
    "Owner",
    "PaymasterDeposit",
    "RelayerAttempt",
    "RelayerTransaction",
    "Safe",
    "Sponsorship",
    "Unsponsored",
    "Transfer",
    "UserOperation",
)
