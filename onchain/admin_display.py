"""How the console prints chain values: addresses, hashes, wei, gas, times, states."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import BigIntegerField, BinaryField, Field, Model
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin_display import (
    EMPTY,
    Format,
    badge,
    full_code,
    full_moment,
    short_code,
    short_moment,
)
from onchain.amounts import ether_text
from onchain.fields import AddressField, Bytes32Field, Uint256Field
from onchain.models import (
    AccountClaim,
    GuardianApproval,
    KeyProof,
    RecoveryDrill,
    RecoveryLookup,
    RecoveryRequest,
    RelayerTransaction,
    Safe,
    UserOperation,
)
from onchain.protocol.types import Address, checksum_address

GWEI_DIGITS = 9  # decimals of one gwei in wei
YEAR_10000 = 253_402_300_800  # seconds; a contract may hold more, a calendar not
ADDRESS_ENDS = (6, 4)  # characters, as on every page of the site

TONES: dict[str, str] = {
    **dict.fromkeys(
        [
            UserOperation.Status.INCLUDED,
            Safe.Status.DEPLOYED,
            RelayerTransaction.Status.MINED,
            KeyProof.Status.PROVEN,
            RecoveryRequest.Status.FINALIZED,
            RecoveryLookup.Status.FOUND,
            AccountClaim.Status.DONE,
            GuardianApproval.Status.VALID,
            RecoveryDrill.Status.COMPLETE,
        ],
        "good",
    ),
    **dict.fromkeys(
        [
            UserOperation.Status.DRAFT,
            UserOperation.Status.SIGNED,
            UserOperation.Status.SUBMITTED,
            Safe.Status.QUEUED,
            Safe.Status.BROADCAST,
            RecoveryRequest.Status.PENDING,
            RecoveryLookup.Status.READING,
            AccountClaim.Status.CHECKING,
            AccountClaim.Status.READY,
            AccountClaim.Status.RELAYING,
            AccountClaim.Status.WAITING,
            AccountClaim.Status.FINALIZING,
            RecoveryDrill.Status.RUNNING,
        ],
        "busy",
    ),
    **dict.fromkeys(
        [
            UserOperation.Status.REVERTED,
            UserOperation.Status.REJECTED,
            RelayerTransaction.Status.FAILED,
            KeyProof.Status.REFUSED,
        ],
        "bad",
    ),
    **dict.fromkeys(
        [
            UserOperation.Status.AWAITING_SIGNATURES,
            Safe.Status.FORMING,
            UserOperation.Status.EXPIRED,
            UserOperation.Status.WITHDRAWN,
            UserOperation.Status.REPLACED,
            KeyProof.Status.OPEN,
            RecoveryRequest.Status.CANCELED,
            AccountClaim.Status.COLLECTING,
            AccountClaim.Status.STOPPED,
            RecoveryDrill.Status.LAPSED,
            RecoveryDrill.Status.ENDED,
        ],
        "quiet",
    ),
}


def short_address(address: bytes) -> SafeString:
    """Return the two ends of an address; pointing at it shows the whole."""
    return short_code(checksum_address(Address(bytes(address))), ends=ADDRESS_ENDS)


def full_address(address: bytes) -> SafeString:
    """Return a whole checksummed address."""
    return full_code(checksum_address(Address(bytes(address))))


def eth(wei: int) -> str:
    """Return an exact amount, such as ``0.25 ETH``."""
    return f"{ether_text(wei)} ETH"


def gwei(wei: int) -> str:
    """Return an exact price of gas, such as ``2.000000007 gwei``."""
    whole, rest = divmod(wei, 10**GWEI_DIGITS)
    decimals = f"{rest:0{GWEI_DIGITS}d}".rstrip("0")
    return f"{whole}.{decimals} gwei" if decimals else f"{whole} gwei"


def gas(units: int) -> str:
    """Return an amount of gas, such as ``170,001 gas``."""
    return f"{units:,} gas"


def code_size(code: bytes) -> str:
    """Return how long some bytes are that nobody reads."""
    return f"{len(bytes(code)):,} bytes"


def on_chain_time(show: Callable[[datetime], object]) -> Callable[[int], object]:
    """Return how to print seconds of a chain's clock."""

    def shown(seconds: int) -> object:
        if not 0 < seconds < YEAR_10000:
            return "No limit"
        return show(datetime.fromtimestamp(seconds, tz=UTC))

    return shown


def state(row: Any) -> SafeString:
    """Return a row's state in words."""
    return badge(row.get_status_display(), TONES[row.status])


def link(row: Model | None, text: object) -> object:
    """Return a link to a row's page in the console."""
    if row is None:
        return EMPTY
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    return format_html('<a href="{}">{}</a>', reverse(name, args=[row.pk]), text)


def list_url(model: type[Model], **parameters: str) -> str:
    """Return the console's list of a model, filtered."""
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
    query = f"?{urlencode(parameters)}" if parameters else ""
    return f"{reverse(name)}{query}"


def list_link(model: type[Model], text: str, **parameters: str) -> SafeString:
    """Return a link to the console's list of a model, filtered."""
    return format_html('<a href="{}">{}</a>', list_url(model, **parameters), text)


def same(
    show: Callable[[Any], object], *, unit: str = "", help: str | None = None
) -> Format:
    """Return a format that is the same in a list and on a page."""
    return Format(short=show, full=show, unit=unit, help=help)


ADDRESS = Format(short=short_address, full=full_address)
HASH = Format(
    short=lambda word: short_code(f"0x{bytes(word).hex()}", ends=(10, 6)),
    full=lambda word: full_code(f"0x{bytes(word).hex()}"),
)
CHAIN_TIME = Format(
    short=on_chain_time(short_moment),
    full=on_chain_time(full_moment),
    unit="timestamp",
    help="By the chain's clock.",
)
GAS_PRICE = same(gwei, unit="wei", help="For one unit of gas. 1 ETH is 10⁹ gwei.")
# By name, because an integer does not know its unit.
BY_NAME = {
    **dict.fromkeys(
        ["base_fee_wei", "max_fee_per_gas", "max_priority_fee_per_gas"], GAS_PRICE
    ),
    **dict.fromkeys(
        [
            "call_gas_limit",
            "verification_gas_limit",
            "pre_verification_gas",
            "paymaster_verification_gas_limit",
            "paymaster_post_op_gas_limit",
            "actual_gas_used",
            "gas_limit",
            "gas_used",
        ],
        same(gas),
    ),
    **dict.fromkeys(
        [
            "head_timestamp",
            "confirmed_timestamp",
            "timestamp",
            "valid_after",
            "valid_until",
        ],
        CHAIN_TIME,
    ),
    "verifiers": same(lambda number: full_code(f"0x{number:044x}")),
    "signer_proxy_code": same(code_size),
}


def chain_format(field: Field[Any, Any]) -> Format | None:
    """Return how a field that holds a chain's value is printed, None for others."""
    if field.name in BY_NAME:
        return BY_NAME[field.name]
    if isinstance(field, AddressField):
        return ADDRESS
    if isinstance(field, Bytes32Field):
        return HASH
    if isinstance(field, Uint256Field | BigIntegerField) and field.name.endswith(
        "_wei"
    ):
        return same(eth, unit="wei")
    return same(code_size) if isinstance(field, BinaryField) else None
