"""A bundler with memory, in the place of the real client."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from onchain.clients.bundler import GasEstimate
from onchain.clients.errors import ClientError, TransientClientError
from onchain.protocol.types import Bytes32
from onchain.protocol.user_operation import UserOperationV07, user_operation_hash
from tests.fakes import CHAIN_ID


@dataclass
class FakeBundler:
    """A bundler in memory: what it holds, what it was sent, and how it misbehaves."""

    chain_id_answer: int = CHAIN_ID
    held: dict[bytes, UserOperationV07] = field(default_factory=dict)
    sent: list[UserOperationV07] = field(default_factory=list)
    estimated: list[UserOperationV07] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    failure: Exception | None = None  # raised by every request while it is set
    refusal: ClientError | None = None  # of the next operations
    estimate_refusal: ClientError | None = None
    loses_replies: bool = False  # takes the operation, then the line is cut
    answers_hash: bytes | None = None  # instead of the right one
    call_gas: int = 60_000

    def __post_init__(self) -> None:
        self.lock = threading.Lock()

    def _ask(self, name: str) -> None:
        with self.lock:
            self.calls.append(name)
        if self.failure is not None:
            raise self.failure

    def chain_id(self) -> int:
        self._ask("chain_id")
        return self.chain_id_answer

    def estimate(self, op: UserOperationV07) -> GasEstimate:
        self._ask("estimate")
        self.estimated.append(op)
        if self.estimate_refusal is not None:
            raise self.estimate_refusal
        return GasEstimate(
            call_gas_limit=self.call_gas,
            verification_gas_limit=1,  # a bundler cannot know better
            pre_verification_gas=50_000,
        )

    def knows(self, user_operation_hash: bytes) -> bool:
        self._ask("knows")
        return user_operation_hash in self.held

    def send(self, op: UserOperationV07) -> Bytes32 | None:
        self._ask("send")
        if self.refusal is not None:
            raise self.refusal
        with self.lock:
            self.sent.append(op)
            key = user_operation_hash(op, chain_id=CHAIN_ID)
            is_new = key not in self.held
            self.held[key] = op
        if self.loses_replies:
            raise TransientClientError("ReadTimeout")
        if self.answers_hash is not None:
            return Bytes32(self.answers_hash)
        return key if is_new else None
