"""Revert data in words.

Sources: the Solidity documentation for ``Error(string)`` and ``Panic(uint256)``;
``IEntryPoint.sol`` v0.7.0 for ``FailedOp``. The text comes from whoever wrote the
contract: what cannot be seen is made visible, and it is cut to a line.
"""

from __future__ import annotations

from onchain.protocol.abi import argument_types, decode, selector
from onchain.protocol.errors import EncodingError

ERROR = "Error(string)"
PANIC = "Panic(uint256)"
FAILED_OP = "FailedOp(uint256,string)"
FAILED_OP_WITH_REVERT = "FailedOpWithRevert(uint256,string,bytes)"

# Refusals without a text, by selector: of Safe4337Module 0.3.0 and the passkey signers
# 0.2.0 (their sources name them).
NAMED = {
    selector(signature): signature.partition("(")[0]
    for signature in (
        "InvalidEntryPoint()",
        "InvalidCaller()",
        "UnsupportedEntryPoint()",
        "UnsupportedExecutionFunction(bytes4)",
        "ExecutionFailed()",
        "InvalidAuthenticatorData()",
        "InvalidClientData()",
        "InvalidSignature()",
        "NotDelegateCalled()",
    )
}

TEXT_LIMIT = 200  # characters

PANICS = {
    0x01: "an assertion failed",
    0x11: "arithmetic overflow",
    0x12: "division by zero",
    0x21: "a value outside its enum",
    0x22: "a damaged byte array in storage",
    0x31: "pop of an empty array",
    0x32: "an index outside its array",
    0x41: "out of memory",
    0x51: "a call of an unset function",
}


def decode_revert(data: bytes) -> str:
    """Return why a call reverted, in one line; never empty, never raises."""
    if not data:
        return "reverted without a reason"
    for signature in (ERROR, PANIC, FAILED_OP, FAILED_OP_WITH_REVERT):
        if data[:4] == selector(signature):
            try:
                values = decode(argument_types(signature), data[4:])
            except EncodingError:
                break
            return _sentence(signature, values)
    return NAMED.get(data[:4], f"reverted with 0x{data[:4].hex()}")


def _sentence(signature: str, values: tuple[object, ...]) -> str:
    if signature == ERROR:
        return visible(str(values[0])) or "reverted with an empty reason"
    if signature == PANIC:
        code = values[0]
        return PANICS.get(code, f"panic {code}") if isinstance(code, int) else "panic"
    reason = visible(str(values[1]))
    if signature == FAILED_OP_WITH_REVERT and isinstance(values[2], bytes):
        return f"{reason}: {decode_revert(values[2])}"
    return reason


def visible(text: str, *, limit: int = TEXT_LIMIT) -> str:
    """Return foreign text in one line, with what cannot be seen made visible.

    Args:
        limit: characters; what is longer is cut there and gets an ellipsis.
    """
    # Cut first, or a long text would be escaped to the end before most is dropped.
    shown = "".join(
        c if c.isprintable() else f"\\u{{{ord(c):x}}}" for c in text[: limit + 1]
    )
    return shown if len(shown) <= limit else f"{shown[:limit]}…"
