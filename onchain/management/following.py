"""The passes of one follower: read, verify, compare, and say how the node is."""

from __future__ import annotations

import logging
import math
import threading
import time

from django.db import DatabaseError, close_old_connections

from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.node import Node
from onchain.errors import ChainNotReady
from onchain.models import Chain, Heartbeat
from onchain.protocol.errors import EncodingError
from onchain.services import agreement, chains, follower
from onchain.services.block_ranges import Stride

logger = logging.getLogger(__name__)

BUSY_SECONDS = 0.05  # between passes while somebody waits for a block
IDLE_SECONDS = 1.0  # between passes otherwise
HEARTBEAT_SECONDS = 2.0
VERIFY_SECONDS = 3600.0  # contracts' code is compared with the pins this often (R22)
VERIFY_AGAIN_SECONDS = 10.0  # and this often while something is wrong with it
AGREE_SECONDS = 2.0  # a second node, where there is one, is asked this often (R48)


class Follower:
    """One process's passes over one chain, until it is told to stop."""

    def __init__(
        self,
        *,
        chain: Chain,
        node: Node,
        second: Node | None,
        name: str,
        stopped: threading.Event,
    ) -> None:
        self.chain = chain
        self.node = node
        self.second = second
        self.name = name
        self.stopped = stopped
        self.stride = Stride()
        self.heard_at = -math.inf
        self.verified_at = time.monotonic()
        self.agreed_at = -math.inf
        self.passed_at = -math.inf
        self.leased_at = -math.inf

    def run(self) -> None:
        """Follow until stopped; then let another one take over."""
        try:
            while not self.stopped.is_set():
                if not self._due_pass():
                    self.stopped.wait(BUSY_SECONDS)
        finally:
            follower.release_lease(chain=self.chain, name=self.name)

    def _due_pass(self) -> bool:
        """Make a pass if it is time for one; True when there may be more.

        A database that restarts, or that ends one of two transactions which waited for
        each other, must not end the follower (security.md R51): what was not written
        is read again.
        """
        try:
            return self._is_due() and self.one_pass()
        except DatabaseError:
            logger.exception("the database failed")
            close_old_connections()
            self.stopped.wait(IDLE_SECONDS)
            return False

    def one_pass(self) -> bool:
        """Read what is new; True when there may be more. A node's errors are noted.

        Raises:
            DatabaseError: the database failed; nothing was written of a block.
        """
        self.passed_at = time.monotonic()
        try:
            if not self._holds_lease():
                self.stopped.wait(IDLE_SECONDS)
                return False
            self._verify()
            moved = follower.advance(
                chain=self.chain, node=self.node, stride=self.stride
            )
            self._compare()
            self._heard()
        except (
            *(ClientError, TransientClientError, ChainNotReady),
            EncodingError,  # a contract's answer that nothing here foresaw
        ) as error:
            self._trouble(error)
            return False
        return moved

    def _is_due(self) -> bool:
        """Every second, and at once while somebody waits for a block."""
        if time.monotonic() - self.passed_at >= IDLE_SECONDS:
            return True
        return follower.is_busy(chain=self.chain)

    def _holds_lease(self) -> bool:
        """Renew the lease when half of it is over; each renewal is a commit."""
        if time.monotonic() - self.leased_at < follower.LEASE_SECONDS / 2:
            return True
        started = time.monotonic()
        if not follower.take_lease(chain=self.chain, name=self.name):
            return False
        self.leased_at = started
        return True

    def _verify(self) -> None:
        """Compare the contracts' code with the pins; what is wrong stops submissions.

        Blocks are read on: what happens meanwhile is true all the same.
        """
        is_wrong = bool(self.chain.contracts_problem)
        every = VERIFY_AGAIN_SECONDS if is_wrong else VERIFY_SECONDS
        if time.monotonic() - self.verified_at < every:
            return
        try:
            chains.connect(node=self.node)
        except ChainNotReady as error:
            logger.warning("the chain's contracts: %s", error)
        self.verified_at = time.monotonic()

    def _compare(self) -> None:
        if time.monotonic() - self.agreed_at < AGREE_SECONDS:
            return
        self.agreed_at = time.monotonic()
        agreement.check(chain=self.chain, second=self.second)

    def _heard(self) -> None:
        if time.monotonic() - self.heard_at < HEARTBEAT_SECONDS:
            return
        self.heard_at = time.monotonic()
        chains.heard(chain=self.chain, component=Heartbeat.Component.FOLLOWER)
        chains.heard_node(chain=self.chain)

    def _trouble(self, error: Exception) -> None:
        logger.warning("node: %s", error)
        chains.heard(chain=self.chain, component=Heartbeat.Component.FOLLOWER)
        chains.silent(
            chain=self.chain, component=Heartbeat.Component.NODE, detail=str(error)
        )
        if isinstance(error, ChainNotReady) and self.chain.node_problem != str(error):
            chains.report(chain=self.chain, node_problem=str(error))
        self.stopped.wait(IDLE_SECONDS)
