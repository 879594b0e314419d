"""The filesystem broker, with messages that appear whole.

kombu 5.7 writes a message under its final name, so a worker that looks between the
opening and the writing reads nothing and dies with "Expecting value". Here the file
is written under another name and renamed, which is atomic within one folder. The
table of queues has the same gap when it is first made; there the reader looks again.
A worker that has nothing to do waits in short turns, and so stops when it is told to.
"""

from __future__ import annotations

import contextlib
import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps

LOOKS = 50
LOOK_SECONDS = 0.01
TURN_SECONDS = 0.2
Result = TypeVar("Result")


def _looked_again(read: Callable[[], Result]) -> Result:
    """Return what ``read`` returns once the file it reads is not half written.

    Raises:
        ValueError: the file is still not JSON after half a second.
    """
    for _look in range(LOOKS - 1):
        try:
            return read()
        except ValueError:
            time.sleep(LOOK_SECONDS)
    return read()


class Channel(filesystem.Channel):
    """kombu's channel; a message is renamed into place."""

    def get_table(self, exchange: str) -> Any:
        """Return the queues bound to an exchange."""
        return _looked_again(lambda: filesystem.Channel.get_table(self, exchange))

    def _queue_bind(self, *args: Any) -> None:
        _looked_again(lambda: filesystem.Channel._queue_bind(self, *args))

    # kombu's own classes name the second argument differently.
    def _put(  # type: ignore[override]
        self, queue: str, payload: dict[str, Any], **_kwargs: Any
    ) -> None:
        folder = Path(self.data_folder_out)
        # Names sort by time, which is the order of delivery.
        name = f"{round(time.monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        unfinished = folder / f"{name}.part"
        try:
            unfinished.write_bytes(dumps(payload).encode())
            os.replace(unfinished, folder / name)
        except OSError as error:
            raise ChannelError(f"cannot add a message to {folder}") from error


class Transport(filesystem.Transport):
    """kombu's transport with our channel, and shorter waits."""

    Channel = Channel

    # kombu's own classes disagree about the arguments.
    def drain_events(  # type: ignore[override]
        self, connection: Any, timeout: float | None = None
    ) -> None:
        """Return after an event, or after a short while without one.

        Celery's worker waits up to four seconds before it looks whether it has to stop.

        Raises:
            TimeoutError: no event within the timeout, which was a shorter one.
        """
        if timeout is not None and timeout <= TURN_SECONDS:
            super().drain_events(connection, timeout=timeout)
            return
        with contextlib.suppress(TimeoutError):
            super().drain_events(connection, timeout=TURN_SECONDS)


def install() -> None:
    """Make ``filesystem://`` mean this transport."""
    TRANSPORT_ALIASES["filesystem"] = f"{__name__}:Transport"
