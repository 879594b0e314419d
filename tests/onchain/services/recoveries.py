"""A recovery module beside the fake chain: what it keeps, says and emits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from onchain.clients.node_recovery import RecoveryRecord
from onchain.models import RecoveryRequest, RecoverySetup
from onchain.protocol import recovery_reads
from onchain.protocol.abi import encode
from onchain.protocol.deployments import RECOVERY_MODULES, TEST_RECOVERY_DELAY
from onchain.protocol.recovery import owners_hash
from onchain.protocol.types import Address, Bytes32
from tests.factories import World
from tests.fake_events import Event, word
from tests.fakes import NO_RECOVERY

MODULE = RECOVERY_MODULES[TEST_RECOVERY_DELAY]
GUARDIANS = [Address(bytes([0xA0 + place]) * 20) for place in range(3)]
NEW_OWNERS = [Address(b"\xb1" * 20), Address(b"\xb2" * 20)]


class FakeModule:
    """One account at one module; each method mines nothing and returns its event."""

    def __init__(self, world: World, module: Address = MODULE) -> None:
        self.world = world
        self.module = module
        self.account = Address(world.wallet.safe.address)
        self.record = NO_RECOVERY

    def guard(self, *guardians: Address, threshold: int = 1) -> list[Event]:
        """Enable the module and let these be the guardians, in this order."""
        before = self.record.guardians or []
        self._keep(is_enabled=True, guardians=list(guardians), threshold=threshold)
        added = [each for each in guardians if each not in before]
        revoked = [each for each in before if each not in guardians]
        return [
            *(self._event(recovery_reads.GUARDIAN_ADDED, word(each)) for each in added),
            *(
                self._event(recovery_reads.GUARDIAN_REVOKED, word(each))
                for each in revoked
            ),
        ]

    def start(
        self, owners: Sequence[Address] = NEW_OWNERS, *, approvals: int = 2
    ) -> Event:
        """Start a request, in the place of the one that waits."""
        nonce = self.record.nonce or 0
        request = recovery_reads.RecoveryRequest(
            approvals=approvals,
            new_threshold=1,
            execute_after=self.world.node.blocks[-1].timestamp + TEST_RECOVERY_DELAY,
            new_owners=list(owners),
        )
        self._keep(nonce=nonce + 1, request=request)
        return self._event(
            recovery_reads.RECOVERY_EXECUTED,
            owners_hash(owners),
            data=encode(
                ["uint256", "uint256", "uint64", "uint256"],
                [1, nonce, request.execute_after, approvals],
            ),
        )

    def cancel(self) -> Event:
        """End the request that waits, as the account's owners do."""
        self._keep(request=None)
        return self._number(recovery_reads.RECOVERY_CANCELED, self._nonce - 1)

    def finalize(self) -> Event:
        """Replace the owners."""
        owners = self.record.request.new_owners
        self._keep(request=None)
        self.world.node.set_owners(self.account, owners)
        return self._event(
            recovery_reads.RECOVERY_FINALIZED,
            owners_hash(owners),
            data=encode(["uint256", "uint256"], [1, self._nonce - 1]),
        )

    def invalidate(self) -> Event:
        """Let no approval of before count any more."""
        self._keep(nonce=self._nonce + 1)
        return self._number(recovery_reads.NONCE_INVALIDATED, self._nonce - 1)

    @property
    def _nonce(self) -> int:
        return self.record.nonce or 0

    def _keep(self, **changes: object) -> None:
        self.restore(replace(self.record, **changes))

    def restore(self, record: RecoveryRecord) -> None:
        """Say this from now on, as after a reorg."""
        self.record = record
        self.world.node.recoveries[self.account, self.module] = record

    def _number(self, topic: Bytes32, number: int) -> Event:
        return self._event(topic, data=encode(["uint256"], [number]))

    def _event(self, topic: Bytes32, *indexed: Bytes32, data: bytes = b"") -> Event:
        topics = (topic, word(self.account), *indexed)
        return Event(address=self.module, topics=topics, data=data)


def setup_of(world: World) -> RecoverySetup:
    return RecoverySetup.objects.get(safe=world.wallet.safe, module=MODULE)


def told(world: World) -> list[tuple[int, str, int, int | None]]:
    """Every recovery that is known: nonce, state, where it began and ended."""
    rows = RecoveryRequest.objects.filter(setup__safe=world.wallet.safe)
    return list(
        rows.order_by("nonce").values_list(
            "nonce", "status", "started_block", "ended_block"
        )
    )
