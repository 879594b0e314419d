"""Follow the chain: read each block once and move rows by what it says."""

from __future__ import annotations

import logging
import math
import os
import signal
import socket
import threading
import time
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections

from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.factory import node_for
from onchain.clients.node import Node
from onchain.errors import ChainNotReady
from onchain.models import Chain, Heartbeat
from onchain.services import chains, follower

logger = logging.getLogger(__name__)

BUSY_SECONDS = 0.05  # between passes while somebody waits for a block
IDLE_SECONDS = 1.0  # between passes otherwise
HEARTBEAT_SECONDS = 2.0
VERIFY_SECONDS = 3600  # contracts' code is compared with the pins this often (R22)


class Command(BaseCommand):
    """``manage.py follow``: one per chain; a second one waits as a spare."""

    help = "Follow the configured chain until stopped."

    def handle(self, **_options: Any) -> None:
        stopped = threading.Event()

        def stop(_signal: int, _frame: FrameType | None) -> None:
            stopped.set()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        name = f"{socket.gethostname()}:{os.getpid()}"[:64]
        node = node_for(settings.CHAIN_ID)
        chain = None
        while chain is None and not stopped.is_set():
            chain = self._connected(node)
            if chain is None:
                stopped.wait(IDLE_SECONDS)
        if chain is None:
            return
        logger.info("following %s", chain)
        try:
            _Loop(chain, node, name, stopped).run()
        finally:
            follower.release_lease(chain=chain, name=name)

    def _connected(self, node: Node) -> Chain | None:
        try:
            return chains.connect(node=node)
        except (ClientError, TransientClientError, ChainNotReady) as error:
            logger.warning("cannot follow yet: %s", error)
            return None


class _Loop:
    """The passes of one follower."""

    def __init__(
        self, chain: Chain, node: Node, name: str, stopped: threading.Event
    ) -> None:
        self.chain = chain
        self.node = node
        self.name = name
        self.stopped = stopped
        self.heard_at = 0.0
        self.verified_at = time.monotonic()
        self.passed_at = 0.0
        self.leased_at = -math.inf

    def run(self) -> None:
        while not self.stopped.is_set():
            moved = False
            if self._is_due():
                moved = self._pass()
            if not moved:
                self.stopped.wait(BUSY_SECONDS)

    def _is_due(self) -> bool:
        """Every second, and at once while somebody waits for a block."""
        if time.monotonic() - self.passed_at >= IDLE_SECONDS:
            return True
        return follower.is_busy(chain=self.chain)

    def _pass(self) -> bool:
        self.passed_at = time.monotonic()
        try:
            if not self._holds_lease():
                self.stopped.wait(IDLE_SECONDS)
                return False
            if time.monotonic() - self.verified_at > VERIFY_SECONDS:
                chains.connect(node=self.node)
                self.verified_at = time.monotonic()
            moved = follower.advance(chain=self.chain, node=self.node)
            self._heard()
        except (ClientError, TransientClientError, ChainNotReady) as error:
            self._trouble(error)
            return False
        except DatabaseError:
            # A database that restarts must not end the follower (security.md R51).
            logger.exception("the database failed")
            close_old_connections()
            self.stopped.wait(IDLE_SECONDS)
            return False
        return moved

    def _holds_lease(self) -> bool:
        """Renew the lease when half of it is over; each renewal is a commit."""
        if time.monotonic() - self.leased_at < follower.LEASE_SECONDS / 2:
            return True
        started = time.monotonic()
        if not follower.take_lease(chain=self.chain, name=self.name):
            return False
        self.leased_at = started
        return True

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
        self.stopped.wait(IDLE_SECONDS)
