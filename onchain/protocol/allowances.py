"""Allowances: who may spend how much of what from an account, without its owners.

Source: ``AllowanceModule.sol`` of Safe, versions 0.1.0, 0.1.1 and 1.0.0, of which the
last is at the address that npm abstractionkit 0.2.41 names; the others and the ABI are
those of npm @safe-global/safe-modules-deployments. What a delegate was given stays if
the delegate is only taken off the module's list, and no call names it then: disabling
the module ends that too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from onchain.protocol.abi import call_data, decode, keccak
from onchain.protocol.errors import EncodingError
from onchain.protocol.types import ZERO_ADDRESS, Address, Bytes32, to_address

ALLOWANCE_MODULES = (
    to_address("0xCFbFaC74C26F8647cBDb8c5caf80BB5b32E43134"),  # 0.1.0
    to_address("0x1Fb403834C911eB98d56E74F5182b0d64C3b3b4D"),  # 0.1.0, by chain
    to_address("0xAA46724893dedD72658219405185Fb0Fc91e091C"),  # 0.1.1
    to_address("0x691f59471Bfd2B7d639DCF74671a2d648ED1E331"),  # 1.0.0
)
ETHER = ZERO_ADDRESS  # in the place of a token
DELEGATES_READ = 20  # of one module; a further one is said, not named
ALLOWANCES_READ = 50  # of one module

GET_DELEGATES = "getDelegates(address,uint48,uint8)"
GET_TOKENS = "getTokens(address,address)"
GET_ALLOWANCE = "getTokenAllowance(address,address,address)"

# Of the module; the account is the first indexed argument of each.
ALLOWANCE_EVENTS = tuple(
    keccak(text)
    for text in (
        b"AddDelegate(address,address)",
        b"RemoveDelegate(address,address)",
        b"SetAllowance(address,address,address,uint96,uint16)",
        b"ResetAllowance(address,address,address)",
        b"DeleteAllowance(address,address,address)",
        b"ExecuteAllowanceTransfer(address,address,address,address,uint96,uint16)",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What one delegate may spend of one token."""

    module: Address
    delegate: Address
    token: Address  # zero: ETH
    amount: int  # in the token's smallest unit; at most, until it is reset
    spent: int  # of that, since it was reset
    reset_minutes: int  # after which it may be spent again; zero: once


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowances:
    """The allowances that an account's modules named."""

    given: Sequence[Allowance] = field(default_factory=tuple)
    is_complete: bool = True  # False: there are more, or a module did not say


def delegates_data(account: Address) -> bytes:
    """Return the call data that asks a module for an account's delegates."""
    return call_data(GET_DELEGATES, account, 0, DELEGATES_READ)


def decode_delegates(data: bytes) -> tuple[list[Address], bool]:
    """Return the delegates, and whether these are all.

    Raises:
        EncodingError: not a list of addresses and a number.
    """
    delegates, following = decode(["address[]", "uint48"], data)
    found = [to_address(delegate) for delegate in delegates[:DELEGATES_READ]]
    return found, following == 0 and len(delegates) <= DELEGATES_READ


def tokens_data(account: Address, delegate: Address) -> bytes:
    """Return the call data that asks which tokens a delegate was ever given."""
    return call_data(GET_TOKENS, account, delegate)


def decode_tokens(data: bytes) -> list[Address]:
    """Return the tokens.

    Raises:
        EncodingError: not a list of addresses.
    """
    (tokens,) = decode(["address[]"], data)
    return [to_address(token) for token in tokens]


def allowance_data(account: Address, delegate: Address, token: Address) -> bytes:
    """Return the call data that asks how much a delegate may spend of a token."""
    return call_data(GET_ALLOWANCE, account, delegate, token)


def decode_allowance(
    data: bytes, *, module: Address, delegate: Address, token: Address
) -> Allowance:
    """Return the allowance in five words: amount, spent, reset, last reset, nonce.

    Raises:
        EncodingError: not five numbers, or wider ones than the module keeps.
    """
    ((amount, spent, reset_minutes, _last, _nonce),) = decode(["uint256[5]"], data)
    if max(amount, spent) >= 2**96 or reset_minutes >= 2**16:
        raise EncodingError("an allowance that no module keeps")
    return Allowance(
        module=module,
        delegate=delegate,
        token=token,
        amount=amount,
        spent=spent,
        reset_minutes=reset_minutes,
    )


def account_of(*, emitter: Address, topics: Sequence[Bytes32]) -> Address | None:
    """Return the account that a log of a module is about, None for any other log."""
    is_event = emitter in ALLOWANCE_MODULES and topics[0] in ALLOWANCE_EVENTS
    return Address(topics[1][12:]) if is_event and len(topics) > 1 else None
