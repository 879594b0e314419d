"""`manage.py up`: the right order, all or nothing, and nothing left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from tests.conftest import Stack, start_stack, wait_for_words
from wallet_site import chain_state, programs
from wallet_site.management.commands.up import STOP_STAGES
from wallet_site.processes import ProcessError, Program, Supervisor

CHAIN_PARTS = "chain,contracts,bundler"
STOP_SECONDS = 10  # what the parts are given to stop, stage by stage
PATIENCE = 60  # seconds; a busy machine is no failure


def command_lines_with(word: str) -> list[str]:
    """Return the command lines of this machine's processes that hold the word."""
    shown = subprocess.run(
        ["ps", "-eo", "pid=,args=", "-ww"], capture_output=True, text=True, check=True
    )
    return [line for line in shown.stdout.splitlines() if word in line]


def pids_of(stack: Stack) -> list[int]:
    """Return the supervisor and every process below it."""
    shown = subprocess.run(
        ["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True
    )
    pairs = [tuple(map(int, line.split())) for line in shown.stdout.splitlines()]
    found = [stack.pid]
    for pid in found:
        found += [child for child, parent in pairs if parent == pid]
    return found


def alive(pids: list[int]) -> list[int]:
    left = []
    for pid in pids:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            continue
        left.append(pid)
    return left


@pytest.fixture
def up(tmp_path):
    """Start `manage.py up` with arguments; whatever still runs is stopped after."""
    started: list[Stack] = []

    def start(*arguments: str, **changes: str | Path) -> Stack:
        started.append(start_stack(tmp_path, *arguments, **changes))
        return started[-1]

    yield start
    for stack in started:
        stack.stop()


def test_the_whole_stack_answers(stack):
    with urllib.request.urlopen(stack.origin, timeout=10) as response:  # noqa: S310
        assert response.status == 200

    assert f"Latchkey answers at {stack.origin} (started in" in stack.logs()


def test_everything_listens_on_loopback_only(stack):
    pids = {str(pid) for pid in pids_of(stack)}
    listening = subprocess.run(
        ["ss", "-Hltnp"], capture_output=True, text=True, check=True
    ).stdout.splitlines()

    ours = [line for line in listening if any(f"pid={pid}," in line for pid in pids)]

    assert len(ours) == 3
    assert all(line.split()[3].startswith("127.0.0.1:") for line in ours)


def test_the_secret_key_is_random_and_its_owners(stack):
    path = stack.var_dir / "secret_key"

    assert path.stat().st_mode & 0o777 == 0o600
    assert len(path.read_text()) >= 64


def test_a_second_run_with_the_same_folder_is_refused(stack):
    second = start_stack(stack.var_dir, "--only", CHAIN_PARTS, log="second.log")

    assert second.process.wait(PATIENCE) == 1
    assert "Latchkey already runs with" in second.logs()


@pytest.mark.thorough
def test_a_signal_stops_everything(up, migrated):
    stack = up(database=migrated)
    wait_for_words(stack, "Latchkey answers at")
    pids = pids_of(stack)
    assert len(pids) >= 8  # the supervisor, six programs, gunicorn's own worker

    stack.process.send_signal(signal.SIGINT)

    assert stack.process.wait(PATIENCE) == 0
    assert alive(pids) == []
    assert command_lines_with(str(stack.var_dir)) == []


def test_all_parts_together_get_ten_seconds_to_stop(tmp_path):
    parts = [programs.chain(load=tmp_path / "state.json"), programs.bundler()]
    parts += [program() for program in programs.AFTER_THE_DATABASE.values()]
    seconds = {part.name: part.stop_seconds for part in parts}

    stages = [max(seconds[name] for name in stage) for stage in STOP_STAGES]

    assert sum(stages) < STOP_SECONDS


@pytest.mark.thorough
def test_the_chain_goes_on_after_a_restart(up, tmp_path):
    first = up("--only", "chain,contracts")
    wait_for_words(first, "Running:")
    account = chain_state.sponsor().signer
    chain = chain_state.connect(url=first.node_url)
    chain.anvil.set_balance(account, 123)
    head = chain.node.head().number
    first.stop()

    second = up("--only", "chain,contracts")
    wait_for_words(second, "Running:")

    chain = chain_state.connect(url=second.node_url)
    assert chain.node.balances([account]) == [123]
    assert chain.node.head().number >= head


@pytest.mark.parametrize(
    "part", ["anvil", pytest.param("alto.js", marks=pytest.mark.thorough)]
)
def test_one_that_dies_ends_all_and_its_last_words_are_shown(up, part):
    stack = up("--only", CHAIN_PARTS)
    wait_for_words(stack, "Running:")
    pids = pids_of(stack)
    port = stack.environment["NODE_PORT"]
    (line,) = [
        line
        for line in command_lines_with(part)
        if port in line and int(line.split()[0]) in pids
    ]

    os.kill(int(line.split()[0]), signal.SIGKILL)

    assert stack.process.wait(PATIENCE) == 1
    name = "chain" if part == "anvil" else "bundler"
    assert f"{name} stopped by itself (exit code -9)" in stack.logs()
    assert alive(pids) == []


@pytest.mark.parametrize("setting", ["NODE_PORT", "BUNDLER_PORT", "WEB_PORT"])
def test_a_taken_port_is_named_before_anything_starts(up, tmp_path, setting):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        url = f"http://127.0.0.1:{port}"
        urls = {"NODE_PORT": "NODE_URL", "BUNDLER_PORT": "BUNDLER_URL"}
        changes = {setting: port} | ({urls[setting]: url} if setting in urls else {})

        stack = up(**changes)

        assert stack.process.wait(PATIENCE) == 1
    assert f"Port {port} ({setting}" in stack.logs()
    assert not (tmp_path / "devchain").exists()


def test_a_damaged_chain_state_is_said_in_words(up, tmp_path):
    state = tmp_path / "devchain" / "state.json"
    state.parent.mkdir()
    state.write_text('{"block": {"number"')

    stack = up("--only", CHAIN_PARTS)

    assert stack.process.wait(PATIENCE) == 1
    assert "make reset" in stack.logs()


def test_production_is_refused(up):
    stack = up(
        SITE_MODE="production",
        SECRET_KEY="s" * 64,
        SITE_ORIGIN="https://wallet.example",
        RELAYER_PRIVATE_KEY="0x" + "11" * 32,
        SPONSOR_PRIVATE_KEY="0x" + "22" * 32,
    )

    assert stack.process.wait(PATIENCE) == 1
    assert "This runs a local Latchkey." in stack.logs()


def test_an_unknown_part_is_named(up):
    stack = up("--only", "chain,bundlr")

    assert stack.process.wait(PATIENCE) == 1
    assert "There is no part bundlr." in stack.logs()


# --- The supervisor alone ------------------------------------------------------------


@pytest.fixture
def supervisor(tmp_path):
    supervisor = Supervisor(folder=tmp_path)
    yield supervisor
    supervisor.stop([])


def shell(name: str, script: str, **options: object) -> Program:
    return Program(name=name, argv=["bash", "-c", script], **options)


def test_ready_words_are_waited_for(supervisor):
    process = supervisor.start(
        shell("slow", "sleep 0.3; echo it is ready.; sleep 60", ready_words="ready.")
    )

    supervisor.wait_until_ready(process)

    assert "it is ready." in process.last_lines


def test_what_is_never_ready_is_named_with_its_last_lines(supervisor):
    process = supervisor.start(
        shell(
            "stuck",
            "echo waiting for Godot; sleep 60",
            answers=lambda: False,
            start_seconds=0.5,
        )
    )

    with pytest.raises(ProcessError, match=r"stuck did not answer(.|\n)*Godot"):
        supervisor.wait_until_ready(process)


def test_what_ends_while_another_is_waited_for_is_named(supervisor):
    supervisor.start(shell("early", "echo out of paper; exit 3"))
    process = supervisor.start(shell("late", "sleep 60", answers=lambda: False))

    with pytest.raises(ProcessError, match=r"early .*code 3(.|\n)*out of paper"):
        supervisor.wait_until_ready(process)


def test_a_program_that_is_missing_is_named(supervisor):
    program = Program(name="ghost", argv=["/nowhere/to/be/found"])

    with pytest.raises(ProcessError, match="ghost: /nowhere/to/be/found is missing"):
        supervisor.start(program)


def test_grandchildren_and_the_deaf_are_ended_too(supervisor, tmp_path):
    deaf = "trap '' TERM; sleep 60 & echo $! > child; echo started; wait; sleep 60"
    process = supervisor.start(
        shell("deaf", deaf, ready_words="started", stop_seconds=0.3)
    )
    supervisor.wait_until_ready(process)
    child = int((tmp_path / "child").read_text())
    assert alive([child]) == [child]

    supervisor.stop([["deaf"]])

    assert process.exit_code == -signal.SIGKILL
    deadline = time.monotonic() + 2  # its new parent has to notice
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert alive([child]) == []


def test_stages_stop_one_after_the_other(supervisor, tmp_path):
    def script(name: str) -> str:
        note = f"echo {name} >> order; exit"
        return f"trap '{note}' TERM; echo up; while :; do sleep 0.05; done"

    for name in ("first", "second"):
        process = supervisor.start(shell(name, script(name), ready_words="up"))
        supervisor.wait_until_ready(process)

    supervisor.stop([["second"], ["first"]])

    assert (tmp_path / "order").read_text().split() == ["second", "first"]
