"""Follow the chain: read each block once and move rows by what it says."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.factory import node_for, second_node_for
from onchain.clients.node import Node
from onchain.errors import ChainNotReady
from onchain.management import following
from onchain.models import Chain
from onchain.services import chains

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    """``manage.py follow``: one per chain; a second one waits as a spare."""

    help = "Follow the configured chain until stopped."

    def handle(self, **_options: Any) -> None:
        stopped = threading.Event()

        def stop(_signal: int, _frame: FrameType | None) -> None:
            stopped.set()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        node = node_for(settings.CHAIN_ID)
        chain = None
        while chain is None and not stopped.is_set():
            chain = self._connected(node)
            if chain is None:
                stopped.wait(following.IDLE_SECONDS)
        if chain is None:
            return
        logger.info("following %s", chain)
        following.Follower(
            chain=chain,
            node=node,
            second=second_node_for(settings.CHAIN_ID),
            name=f"{socket.gethostname()}:{os.getpid()}"[:64],
            stopped=stopped,
        ).run()

    def _connected(self, node: Node) -> Chain | None:
        try:
            return chains.connect(node=node)
        except (ClientError, TransientClientError, ChainNotReady) as error:
            logger.warning("cannot follow yet: %s", error)
            return None
