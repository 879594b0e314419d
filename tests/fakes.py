"""A node with memory, in the place of the real client.

It keeps what it is given and answers from it, so that a test can cut it off in the
middle, ask twice, reorganise the chain, and look at what it was sent. What the
contracts would say is computed in ``tests.fake_accounts``; nothing is always true.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from eth_account import Account
from eth_account.typed_transactions import TypedTransaction
from eth_utils.crypto import keccak
from hexbytes import HexBytes

from onchain.clients.errors import AnswerTooLarge, ClientError, TransientClientError
from onchain.clients.node_configurations import AccountRecord
from onchain.clients.node_recovery import RecoveryRecord
from onchain.clients.node_types import (
    AccountSnapshot,
    BlockRecord,
    LogRecord,
    Payment,
    Receipt,
)
from onchain.protocol.abi import argument_types, decode, selector
from onchain.protocol.configuration import Configuration
from onchain.protocol.deployments import (
    ENTRY_POINT,
    SAFE_4337_MODULE,
    SAFE_L2,
    SIGNER_FACTORY,
)
from onchain.protocol.owners import AccountOwners
from onchain.protocol.types import ZERO_ADDRESS, Address, Bytes32, PublicKey
from onchain.protocol.user_operation import HANDLE_OPS, split_nonce
from onchain.protocol.validation import VALIDATE_USER_OP
from tests import fake_accounts
from tests.fake_events import Event

CHAIN_ID = 31337
GENESIS_TIME = 1_900_000_000  # seconds
BASE_FEE_WEI = 1_000_000_000  # wei per gas
TIP_WEI = 1_000_000  # wei per gas
IS_VALID_FOR_SIGNER = "isValidSignatureForSigner(bytes32,bytes,uint256,uint256,uint176)"
SAFE_CODE = b"\x60\x80"


# What a recovery module says of an account that never had to do with it.
NO_RECOVERY = RecoveryRecord(
    is_enabled=False,
    guardians=[],
    threshold=0,
    nonce=0,
    request=None,
    tells_request=True,
)
# What an account that is set up here consists of.
ORDINARY = Configuration(
    singleton=SAFE_L2,
    modules=[SAFE_4337_MODULE],
    guard=ZERO_ADDRESS,
    fallback_handler=SAFE_4337_MODULE,
    shared_key=None,
)


@dataclass
class FakeNode:
    """One chain in memory. ``calls`` has the name of each request in order."""

    chain_id_answer: int = CHAIN_ID
    first_block: int = 100
    blocks: list[BlockRecord] = field(default_factory=list)
    logs: list[LogRecord] = field(default_factory=list)
    account_balances: dict[bytes, int] = field(default_factory=dict)
    account_codes: dict[bytes, bytes] = field(default_factory=dict)
    pending_codes: dict[bytes, bytes] = field(default_factory=dict)  # in no block yet
    keys: dict[bytes, fake_accounts.Keys] = field(default_factory=dict)
    account_owners: dict[bytes, AccountOwners] = field(default_factory=dict)
    # None: it does not say; not here: as every account that is set up here.
    account_configurations: dict[bytes, Configuration | None] = field(
        default_factory=dict
    )
    recoveries: dict[tuple[bytes, bytes], RecoveryRecord] = field(default_factory=dict)
    sequences: dict[tuple[bytes, int], int] = field(default_factory=dict)
    transaction_counts: dict[bytes, int] = field(default_factory=dict)
    pool: dict[bytes, bytes] = field(default_factory=dict)
    mined: dict[bytes, Receipt] = field(default_factory=dict)
    raw_sent: list[bytes] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    failure: Exception | None = None  # raised by every request while it is set
    estimate_failure: ClientError | None = None
    send_failure: Exception | None = None
    dies_after_sending: bool = False
    revert_hashes: set[bytes] = field(default_factory=set)
    base_fee_wei: int = BASE_FEE_WEI
    block_gas: int = 60_000_000
    gas_used: int = 21_000  # by each transaction, within its limit
    relayer_balance_wei: int = 1_000 * 10**18
    call_answers: dict[tuple[bytes, bytes], bytes] = field(default_factory=dict)
    handle_ops_refusal: str = ""
    most_blocks: int | None = None  # that it answers at once

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        self.mine()

    # What a test does to the chain.

    def mine(
        self,
        *events: Event,
        touched: Sequence[bytes] = (),
        seconds: int = 1,
        pool: bool = True,
        payments: Sequence[Payment] = (),
    ) -> BlockRecord:
        """Add a block with these events and, by default, all that is in the pool."""
        number = self.blocks[-1].number + 1 if self.blocks else self.first_block
        parent = self.blocks[-1].hash if self.blocks else Bytes32(bytes(32))
        before = self.blocks[-1].timestamp if self.blocks else GENESIS_TIME
        taken = self._take_pool(number) if pool else []
        block = BlockRecord(
            number=number,
            hash=Bytes32(secrets.token_bytes(32)),
            parent_hash=parent,
            timestamp=before + seconds,
            base_fee_wei=BASE_FEE_WEI,
            touched=frozenset(
                Address(item) for item in (*touched, *(paid.to for paid in payments))
            ),
            transaction_hashes=frozenset(Bytes32(item) for item in taken),
            payments=tuple(payments),
        )
        self.blocks.append(block)
        for paid in payments:
            self.mined[paid.transaction_hash] = Receipt(
                block_number=number,
                succeeded=paid.transaction_hash not in self.revert_hashes,
                gas_used=21_000,
            )
        for index, event in enumerate(events):
            self.logs.append(
                LogRecord(
                    address=event.address,
                    topics=event.topics,
                    data=event.data,
                    block_hash=block.hash,
                    block_number=number,
                    transaction_hash=event.transaction_hash,
                    log_index=index,
                )
            )
        return block

    def reorganise(self, depth: int) -> None:
        """Take the newest blocks back, with their logs and receipts."""
        gone = {block.hash for block in self.blocks[-depth:]}
        numbers = {block.number for block in self.blocks[-depth:]}
        self.blocks = self.blocks[:-depth]
        self.logs = [log for log in self.logs if log.block_hash not in gone]
        self.mined = {
            key: receipt
            for key, receipt in self.mined.items()
            if receipt.block_number not in numbers
        }

    def deploy(self, safe: object) -> None:
        """Give an account its code and its passkeys."""
        self.account_codes[safe.address] = SAFE_CODE
        self.keys[safe.address] = {}
        owners = list(safe.owners.all())
        for owner in owners:
            self.account_codes[owner.address] = SAFE_CODE
            self.give_key(owner.address, owner.public_key, account=safe.address)
        self.set_owners(safe.address, [owner.address for owner in owners])

    def give_key(self, signer: bytes, public_key: PublicKey, *, account: bytes) -> None:
        """Say which key a signer checks for an account."""
        self.keys[account][signer] = (public_key.x, public_key.y)

    def set_owners(
        self, account: bytes, owners: Sequence[bytes], threshold: int = 1
    ) -> None:
        """Let an account have these owners, in the Safe's order, from now on."""
        self.account_owners[account] = AccountOwners(
            owners=[Address(owner) for owner in owners], threshold=threshold
        )

    def _replace(self, raw: bytes) -> None:
        """Drop what this one replaces, if it pays a tenth more, as geth asks."""
        for key, other in list(self.pool.items()):
            same = (_sender_of(raw), _nonce_of(raw))
            if (_sender_of(other), _nonce_of(other)) != same:
                continue
            for name in ("maxFeePerGas", "maxPriorityFeePerGas"):
                before, now = (_fields_of(x).as_dict()[name] for x in (other, raw))
                if now * 10 < before * 11:
                    raise ClientError("node-refused", "replacement underpriced")
            del self.pool[key]

    def _take_pool(self, number: int) -> list[bytes]:
        taken = []
        for key in sorted(self.pool, key=lambda item: _nonce_of(self.pool[item])):
            sender = _sender_of(self.pool[key])
            if _nonce_of(self.pool[key]) != self.transaction_counts.get(sender, 0):
                continue
            self.transaction_counts[sender] = _nonce_of(self.pool[key]) + 1
            gas = min(self.gas_used, int(_fields_of(self.pool[key]).as_dict()["gas"]))
            self.mined[key] = Receipt(
                block_number=number,
                succeeded=key not in self.revert_hashes,
                gas_used=gas,
                fee_wei=gas * self.base_fee_wei,
            )
            taken.append(key)
        for key in taken:
            del self.pool[key]
        return taken

    # What the services ask.

    def _ask(self, name: str) -> None:
        with self.lock:
            self.calls.append(name)
        if self.failure is not None:
            raise self.failure

    def chain_id(self) -> int:
        self._ask("chain_id")
        return self.chain_id_answer

    def chain_id_and_head(self) -> tuple[int, BlockRecord]:
        self._ask("chain_id_and_head")
        return self.chain_id_answer, self.blocks[-1]

    def blocks_with_logs(
        self, first: int, last: int, topics: Sequence[bytes]
    ) -> tuple[list[BlockRecord], list[LogRecord]]:
        self._ask(f"blocks_with_logs {first} {last}")
        if self.most_blocks is not None and last - first + 1 > self.most_blocks:
            raise AnswerTooLarge("node error -32005")
        blocks = [block for block in self.blocks if first <= block.number <= last]
        if len(blocks) != last - first + 1:
            raise TransientClientError("the answer has another shape")
        return blocks, self._logs_of(blocks, topics)

    def logs_about(
        self,
        account: bytes,
        first: int,
        last: int,
        *,
        own: Sequence[bytes],
        named_first: Sequence[bytes],
        named_second: Sequence[bytes],
    ) -> list[LogRecord]:
        self._ask(f"logs_about {first} {last}")
        if self.most_blocks is not None and last - first + 1 > self.most_blocks:
            raise AnswerTooLarge("node error -32005")
        word = bytes(12) + account
        return [
            log
            for log in self.logs
            if first <= log.block_number <= last
            and (
                (log.address == account and log.topics[0] in own)
                or (log.topics[0] in named_first and log.topics[1:2] == (word,))
                or (log.topics[0] in named_second and log.topics[2:3] == (word,))
            )
        ]

    def headers(self, numbers: Sequence[int]) -> list[BlockRecord]:
        self._ask("headers")
        by_number = {block.number: block for block in self.blocks}
        return [by_number[number] for number in numbers]

    def block_hash(self, number: int) -> Bytes32 | None:
        self._ask("block_hash")
        hashes = [block.hash for block in self.blocks if block.number == number]
        return hashes[0] if hashes else None

    def balances(self, addresses: Sequence[bytes]) -> list[int]:
        self._ask("balances")
        return [self.account_balances.get(item, 0) for item in addresses]

    def codes(self, addresses: Sequence[bytes], block: str) -> list[bytes]:
        self._ask(f"codes {block}")
        codes = self.account_codes
        if block == "pending":
            codes = self.pending_codes | codes
        return [codes.get(item, b"") for item in addresses]

    def owners(
        self, accounts: Sequence[bytes], block_hash: bytes
    ) -> list[AccountOwners | None]:
        self._ask("owners")
        if block_hash not in {block.hash for block in self.blocks}:
            raise TransientClientError("the node does not have the block")
        return [self.account_owners.get(account) for account in accounts]

    def configurations(
        self, accounts: Sequence[bytes], block_hash: bytes
    ) -> list[Configuration | None]:
        self._ask("configurations")
        # What answers to nothing else has no configuration either.
        return [
            self.account_configurations.get(
                account, ORDINARY if account in self.account_owners else None
            )
            for account in accounts
        ]

    def recovery_records(
        self, pairs: Sequence[tuple[bytes, bytes]], block_hash: bytes
    ) -> list[RecoveryRecord]:
        self._ask(f"recovery_records {len(pairs)}")
        if block_hash not in {block.hash for block in self.blocks}:
            raise TransientClientError("the node does not have the block")
        return [self.recoveries.get(pair, NO_RECOVERY) for pair in pairs]

    def account_record(self, account: bytes) -> AccountRecord:
        self._ask("account_record")
        return AccountRecord(
            code=self.account_codes.get(account, b""),
            owners=self.account_owners.get(account),
            configuration=self.account_configurations.get(account),
            transaction_count=0,
            balance_wei=self.account_balances.get(account, 0),
        )

    def account_snapshot(
        self, account: bytes, nonce_keys: Sequence[int]
    ) -> AccountSnapshot:
        self._ask("account_snapshot")
        return AccountSnapshot(
            head_timestamp=self.blocks[-1].timestamp,
            base_fee_wei=BASE_FEE_WEI,
            tip_wei=TIP_WEI,
            balance_wei=self.account_balances.get(account, 0),
            nonces={key: self.sequences.get((account, key), 0) for key in nonce_keys},
        )

    def call(
        self,
        to: bytes,
        data: bytes,
        *,
        sender: bytes | None = None,
        block: str = "latest",
    ) -> bytes:
        self._ask("call")
        if (to, data[:4]) in self.call_answers:
            return self.call_answers[to, data[:4]]
        if to == SIGNER_FACTORY and data[:4] == selector(IS_VALID_FOR_SIGNER):
            return fake_accounts.is_valid_signature_for_signer(data[4:])
        if sender == ENTRY_POINT and data[:4] == selector(VALIDATE_USER_OP):
            return fake_accounts.validate_user_op(
                data[4:],
                keys=self._keys_of(to),
                threshold=self.account_owners[to].threshold,
                chain_id=self.chain_id_answer,
            )
        if to == ENTRY_POINT and data[:4] == selector(HANDLE_OPS):
            if refusal := self.handle_ops_refusal or self._refusal_of(data[4:]):
                raise ClientError("execution-reverted", refusal)
            return b""
        raise ClientError("execution-reverted", "reverted without a reason")

    def _refusal_of(self, arguments: bytes) -> str:
        """Return why the EntryPoint would not take these operations, or nothing."""
        operations, _beneficiary = decode(argument_types(HANDLE_OPS), arguments)
        for packed in operations:
            key, sequence = split_nonce(packed[1])
            if self.sequences.get((packed[0], key), 0) != sequence:
                return "AA25 invalid account nonce"
            if packed[2]:
                return self._refusal_of_first(arguments)
        return ""

    def _refusal_of_first(self, arguments: bytes) -> str:
        return fake_accounts.refusal_of_first_operation(
            arguments,
            exists=lambda account: account in self.account_codes,
            balance=lambda account: self.account_balances.get(account, 0),
            chain_id=self.chain_id_answer,
        )

    def estimate_gas(self, *, sender: bytes, to: bytes, value: int, data: bytes) -> int:
        self._ask("estimate_gas")
        if self.estimate_failure is not None:
            raise self.estimate_failure
        return 400_000

    def block_gas_limit(self) -> int:
        self._ask("block_gas_limit")
        return self.block_gas

    def simulate(
        self, *, sender: bytes, to: bytes, value: int, data: bytes, gas_limit: int
    ) -> None:
        self._ask("simulate")
        if self.estimate_failure is not None:
            raise self.estimate_failure

    def relayer_snapshot(self, relayer: bytes) -> tuple[int, int, int, int]:
        self._ask("relayer_snapshot")
        pending = self.transaction_counts.get(relayer, 0)
        held = {
            _nonce_of(raw) for raw in self.pool.values() if _sender_of(raw) == relayer
        }
        while pending in held:
            pending += 1
        return pending, self.relayer_balance_wei, self.base_fee_wei, TIP_WEI

    def nonce_and_balance(self, account: bytes) -> tuple[int, int]:
        self._ask("nonce_and_balance")
        return self.transaction_counts.get(account, 0), self.relayer_balance_wei

    def replacement_snapshot(self, relayer: bytes) -> tuple[int, int, int]:
        self._ask("replacement_snapshot")
        return self.transaction_counts.get(relayer, 0), self.base_fee_wei, TIP_WEI

    def send_raw_transaction(self, raw: bytes) -> None:
        self._ask("send_raw_transaction")
        if self.send_failure is not None:
            raise self.send_failure
        self.raw_sent.append(raw)
        key = bytes(keccak(raw))
        if key in self.pool:
            return
        if _nonce_of(raw) < self.transaction_counts.get(_sender_of(raw), 0):
            raise ClientError("nonce-too-low", "nonce too low")
        self._replace(raw)
        self.pool[key] = raw
        if self.dies_after_sending:
            raise ConnectionAbortedError("the worker died here")

    def receipts(self, hashes: Sequence[bytes]) -> list[Receipt | None]:
        self._ask("receipts")
        return [self.mined.get(item) for item in hashes]

    def _keys_of(self, account: bytes) -> fake_accounts.Keys:
        """Return the keys of those signers that are owners now."""
        owners = self.account_owners[account].owners
        return {
            signer: key
            for signer, key in self.keys[account].items()
            if signer in owners
        }

    def _logs_of(
        self, blocks: Sequence[BlockRecord], topics: Sequence[bytes]
    ) -> list[LogRecord]:
        hashes = {block.hash for block in blocks}
        return [
            log
            for log in self.logs
            if log.block_hash in hashes and log.topics[0] in topics
        ]


def _fields_of(raw: bytes) -> TypedTransaction:
    return TypedTransaction.from_bytes(HexBytes(raw))


def _nonce_of(raw: bytes) -> int:
    return int(_fields_of(raw).as_dict()["nonce"])


def _sender_of(raw: bytes) -> bytes:
    from_text = Account.recover_transaction(raw)
    return bytes.fromhex(from_text[2:])
