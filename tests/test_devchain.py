"""The local chain: every contract in its place, and on no other chain."""

from __future__ import annotations

import contextlib
import io
import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from eth_account import Account

from onchain.errors import LocalChainError
from onchain.protocol.abi import call_data, keccak, selector
from onchain.protocol.deployments import CONTRACTS, ENTRY_POINT, RECOVERY_MODULES
from onchain.protocol.types import to_address
from onchain.services import contract_sources, local_chain, recovery_stand_in
from onchain.services.local_chain import LocalChain, Sponsor
from wallet_site import chain_state
from wallet_site.processes import Program, Supervisor

pytestmark = pytest.mark.chain

STRANGERS_KEY = "0x" + "11" * 32


def report_nothing(_line: str) -> None:
    pass


@contextlib.contextmanager
def anvil(folder: Path, load: Path | None) -> Iterator[LocalChain]:
    port = chain_state.free_port()
    chain = chain_state.connect(url=f"http://127.0.0.1:{port}")
    state = folder / "state.json"
    program = Program(
        name="chain",
        argv=chain_state.anvil_argv(port=port, state=state, load=load),
        answers=partial(chain_state.answers, chain),
    )
    supervisor = Supervisor(folder=chain_state.DEVCHAIN)
    try:
        supervisor.wait_until_ready(supervisor.start(program))
        yield chain
    finally:
        supervisor.stop([["chain"]])


@pytest.fixture
def empty_chain(tmp_path):
    """An anvil for one test, without any contract."""
    with anvil(tmp_path, None) as chain:
        yield chain


@pytest.fixture
def own_chain(tmp_path):
    """An anvil for one test, begun from the base, that may be spoilt."""
    with anvil(tmp_path, chain_state.base_state(report=report_nothing)) as chain:
        yield chain


@pytest.mark.thorough
def test_what_anvil_saves_when_it_stops_it_goes_on_from(tmp_path):
    account = to_address("0x" + "12" * 20)
    with anvil(tmp_path, None) as chain:
        chain.anvil.set_balance(account, 7)
        head = chain.node.head().number

    with anvil(tmp_path, tmp_path / "state.json") as chain:
        assert chain.node.balances([account]) == [7]
        assert chain.node.head().number >= head


@pytest.fixture
def shared_chain(node_url) -> LocalChain:
    return chain_state.connect(url=node_url)


def devchain(settings, node_url: str) -> str:
    settings.NODE_URL = node_url
    settings.LOCAL_CHAIN = True
    out = io.StringIO()
    call_command("devchain", stdout=out)
    return out.getvalue()


def test_every_contract_has_the_pinned_code(shared_chain):
    addresses = [contract.address for contract in CONTRACTS]

    codes = shared_chain.node.codes(addresses, "latest")

    assert [keccak(code) for code in codes] == [item.code_hash for item in CONTRACTS]


def test_the_pins_are_those_of_the_official_lists():
    official = contract_sources.official_code_hashes(chain_state.PACKAGES)
    pins = {contract.address: contract.code_hash for contract in CONTRACTS}

    listed = {address: code for address, code in official.items() if address in pins}

    # Seven of Safe 1.4.1 with code hashes; two 4337 contracts and the passkey factory
    # by address.
    assert len(listed) == 10
    assert {address: code for address, code in listed.items() if code is not None} == {
        address: pins[address] for address, code in listed.items() if code is not None
    }
    assert sum(code is not None for code in listed.values()) == 7


def test_the_paymaster_trusts_the_sponsor_and_holds_a_deposit(shared_chain, settings):
    paymaster = to_address(settings.PAYMASTER_ADDRESS)

    signer = shared_chain.node.call(paymaster, selector("verifyingSigner()"))
    owner = shared_chain.node.call(paymaster, selector("owner()"))
    deposit = shared_chain.node.call(
        ENTRY_POINT, call_data("balanceOf(address)", paymaster)
    )

    assert signer[12:] == to_address(
        Account.from_key(settings.SPONSOR_PRIVATE_KEY).address
    )
    assert int.from_bytes(deposit, "big") > 99 * 10**18
    # R71: the owner is nobody whose key the site holds.
    held = {settings.SPONSOR_PRIVATE_KEY, settings.RELAYER_PRIVATE_KEY}
    assert owner[12:] not in {to_address(Account.from_key(key).address) for key in held}


def test_deploying_again_changes_nothing(node_url, settings):
    assert "all there already" in devchain(settings, node_url)


@pytest.mark.thorough
def test_a_contract_with_other_code_is_named(own_chain, settings):
    multi_send = next(item for item in CONTRACTS if item.name == "MultiSend")
    own_chain.anvil.set_code(multi_send.address, b"\x00")

    with pytest.raises(CommandError, match="MultiSend at 0x38869bf66a61cF6bDB996A6aE"):
        devchain(settings, own_chain.node.rpc.url)


@pytest.mark.thorough
def test_an_older_stand_in_of_a_module_is_replaced(own_chain, settings):
    place, module = 1, list(RECOVERY_MODULES.values())[1]
    own_chain.anvil.set_code(module, b"\x00")

    output = devchain(settings, own_chain.node.rpc.url)

    assert "Recovery module, 3 days, a local stand-in at 0x38275826E1933303" in output
    assert "1 deployed" in output
    codes = own_chain.node.codes(list(RECOVERY_MODULES.values()), "latest")
    assert len(codes[place]) == len(codes[0])
    assert len(set(codes)) == 4  # each waits in its own way


@pytest.fixture
def packages(tmp_path):
    """A folder like devchain, with the real packages."""
    folder = tmp_path / "devchain"
    folder.mkdir()
    (folder / "node_modules").symlink_to(chain_state.PACKAGES)
    for path in recovery_stand_in.sources(chain_state.PACKAGES):
        copy = folder / path.relative_to(chain_state.DEVCHAIN)
        copy.parent.mkdir(exist_ok=True)
        copy.write_text(path.read_text())
    return folder / "node_modules"


@pytest.mark.thorough
def test_the_stand_in_is_compiled_once(packages, monkeypatch):
    code = recovery_stand_in.creation_code(packages)
    monkeypatch.setenv("PATH", "")  # no compiler any more

    assert recovery_stand_in.creation_code(packages) == code
    contract, _script = recovery_stand_in.sources(packages)
    contract.write_text(contract.read_text().replace("SM: no new owners", "SM: none"))
    with pytest.raises(LocalChainError, match="Node 20"):
        recovery_stand_in.creation_code(packages)


@pytest.mark.thorough
def test_what_does_not_compile_is_named(packages):
    contract, _script = recovery_stand_in.sources(packages)
    contract.write_text(contract.read_text().replace("whenEnabled {", "whenAble {"))

    with pytest.raises(LocalChainError, match="whenAble"):
        recovery_stand_in.creation_code(packages)
    assert not (packages.parent / "build").exists()


def test_a_missing_compiler_is_named(packages):
    packages.unlink()
    packages.mkdir()

    with pytest.raises(LocalChainError, match="solc is missing.*make install"):
        recovery_stand_in.creation_code(packages)


@pytest.mark.thorough
def test_the_base_is_made_anew_for_another_stand_in(packages, monkeypatch):
    before = chain_state._base_key()
    monkeypatch.setattr(chain_state, "PACKAGES", packages)
    assert chain_state._base_key() == before

    for path in recovery_stand_in.sources(packages):
        path.write_text(f"{path.read_text()}\n")
        assert chain_state._base_key() != before
        before = chain_state._base_key()


@pytest.mark.thorough
def test_a_deployment_that_was_cut_short_is_finished_by_the_next(
    empty_chain, settings, monkeypatch
):
    with monkeypatch.context() as cut:
        cut.setattr(local_chain, "SOURCES", contract_sources.SOURCES[:4])
        with pytest.raises(CommandError, match="MultiSendCallOnly is not on the chain"):
            devchain(settings, empty_chain.node.rpc.url)

    output = devchain(settings, empty_chain.node.rpc.url)

    assert "9 deployed, all checked" in output
    assert "EntryPoint at" not in output


@pytest.mark.thorough
def test_another_sponsor_key_is_told_apart(own_chain, settings):
    settings.SPONSOR_PRIVATE_KEY = STRANGERS_KEY

    with pytest.raises(CommandError, match="make reset") as refusal:
        devchain(settings, own_chain.node.rpc.url)

    assert STRANGERS_KEY not in str(refusal.value)


def test_the_command_refuses_when_the_settings_name_another_chain(settings):
    settings.LOCAL_CHAIN = False

    with pytest.raises(CommandError, match="works on the local chain only"):
        call_command("devchain")


@pytest.mark.parametrize(
    "url",
    [
        "http://node.example:8545",
        "http://10.0.0.1:8545",
        "http://127.0.0.1.example:8545",
        "http://localhost@node.example",
    ],
)
def test_nothing_is_sent_to_a_node_elsewhere(url):
    chain = LocalChain.at(url, timeout=0.1, packages=chain_state.PACKAGES)

    with pytest.raises(LocalChainError, match="not on this machine"):
        local_chain.deploy(
            chain=chain, sponsor=chain_state.sponsor(), report=report_nothing
        )


@pytest.fixture
def impostor():
    """A node on loopback that answers, but as the given chain and program."""
    answers: dict[str, str] = {}
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            request = json.loads(body)
            asked.append(request["method"])
            answer = {"jsonrpc": "2.0", "id": request["id"]}
            answer["result"] = answers[request["method"]]
            text = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.answers = answers
        server.asked = asked
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize(
    ("chain_id", "version", "words"),
    [
        ("0x1", "anvil/v1.7.1", "is on chain 1, not 31337"),
        ("0x7a69", "Geth/v1.16.0", "not anvil"),
    ],
    ids=["another chain", "another program"],
)
def test_a_loopback_node_that_is_no_local_chain_is_only_asked_who_it_is(
    impostor, settings, chain_id, version, words
):
    impostor.answers |= {"eth_chainId": chain_id, "web3_clientVersion": version}

    with pytest.raises(CommandError, match=words):
        devchain(settings, f"http://127.0.0.1:{impostor.server_port}")

    assert set(impostor.asked) <= {"eth_chainId", "web3_clientVersion"}


def test_a_chain_that_does_not_answer_is_said_in_words(settings):
    with pytest.raises(CommandError, match="did not answer"):
        devchain(settings, f"http://127.0.0.1:{chain_state.free_port()}")


@pytest.mark.thorough
def test_a_missing_package_is_said_in_words(own_chain, tmp_path):
    chain = LocalChain(node=own_chain.node, anvil=own_chain.anvil, packages=tmp_path)
    own_chain.anvil.set_code(ENTRY_POINT, b"")

    with pytest.raises(LocalChainError, match=r"EntryPoint\.json is missing"):
        local_chain.deploy(
            chain=chain, sponsor=chain_state.sponsor(), report=report_nothing
        )


@pytest.mark.thorough
def test_another_release_of_a_package_is_not_deployed(own_chain, tmp_path):
    source = contract_sources.SOURCES[0]
    artifact = tmp_path / source.artifact
    artifact.parent.mkdir(parents=True)
    artifact.write_text('{"bytecode": "0x6001600081"}')
    chain = LocalChain(node=own_chain.node, anvil=own_chain.anvil, packages=tmp_path)
    own_chain.anvil.set_code(ENTRY_POINT, b"")

    with pytest.raises(LocalChainError, match="is not the released EntryPoint"):
        local_chain.deploy(
            chain=chain, sponsor=chain_state.sponsor(), report=report_nothing
        )


@pytest.mark.thorough
def test_the_base_state_is_made_once_for_each_sponsor(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(chain_state, "BASE_FOLDER", tmp_path)

    first = chain_state.base_state(report=report_nothing)
    again = chain_state.base_state(report=report_nothing)
    settings.SPONSOR_PRIVATE_KEY = STRANGERS_KEY
    other = chain_state.base_state(report=report_nothing)

    assert first == again
    assert other != first
    assert sorted(tmp_path.iterdir()) == sorted([first, other])


def test_a_sponsor_is_known_by_its_address(settings):
    sponsor = Sponsor.of(
        paymaster=settings.PAYMASTER_ADDRESS, private_key=settings.LOCAL_SPONSOR_KEY
    )

    assert sponsor.signer == to_address("0x90F79bf6EB2c4f870365E785982E1f101E93b906")
