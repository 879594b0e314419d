from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from kombu import Connection, Queue

from wallet_site import broker

MESSAGES = 400
WRITERS = 4


def connection(folder: Path) -> Connection:
    broker.install()
    options = {
        "data_folder_in": str(folder),
        "data_folder_out": str(folder),
        "control_folder": str(folder / "control"),
        "polling_interval": 0.001,
    }
    return Connection("filesystem://", transport_options=options)


def test_a_reader_never_sees_half_a_message(tmp_path):
    queue = Queue("work", routing_key="work")
    received: list[int] = []

    def write(first: int) -> None:
        with connection(tmp_path) as link, link.Producer() as producer:
            for number in range(first, first + MESSAGES // WRITERS):
                producer.publish(
                    {"number": number, "padding": "x" * 4096},
                    routing_key="work",
                    declare=[queue],
                )

    writers = [
        threading.Thread(target=write, args=(start,))
        for start in range(0, MESSAGES, MESSAGES // WRITERS)
    ]
    with connection(tmp_path) as link:

        def take(body, message) -> None:
            received.append(body["number"])
            message.ack()

        with link.Consumer(queue, callbacks=[take]):
            for writer in writers:
                writer.start()
            while len(received) < MESSAGES:
                link.drain_events(timeout=20)
    for writer in writers:
        writer.join()

    assert sorted(received) == list(range(MESSAGES))
    assert not list(tmp_path.glob("*.part"))


def test_a_table_of_queues_that_is_being_made_is_read_again(tmp_path):
    with connection(tmp_path) as link:
        channel = link.channel()
        control = tmp_path / "control"
        control.mkdir(exist_ok=True)
        table = control / "work.exchange"
        table.write_text("")
        threading.Timer(0.1, table.write_text, ['[["work", "", "work"]]']).start()

        found = channel.get_table("work")

    assert [tuple(row) for row in found] == [("work", "", "work")]


def test_who_waits_for_messages_looks_around_soon(tmp_path):
    queue = Queue("work", routing_key="work")
    with connection(tmp_path) as link, link.Consumer(queue, callbacks=[print]):
        started = time.monotonic()
        link.drain_events(timeout=60)

        assert time.monotonic() - started < 30  # a busy machine is no failure
        with pytest.raises(TimeoutError):
            link.drain_events(timeout=0.01)
