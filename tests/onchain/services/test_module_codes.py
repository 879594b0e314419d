"""Recovery modules are used where two nodes and an operator vouch for them (R22, R26)."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from onchain.clients.errors import TransientClientError
from onchain.errors import ModuleCodeRefused
from onchain.models import Chain, JournalEntry, ModuleCode
from onchain.protocol.abi import keccak
from onchain.protocol.deployments import DAY, RECOVERY_MODULES
from onchain.protocol.types import Bytes32, to_hex
from onchain.services import chains, module_codes
from onchain.services.health import health
from onchain.services.local_chain import LocalChain
from tests.factories import make_chain, make_operator
from tests.fakes import FakeNode
from tests.onchain.console import url_of
from tests.stub_rpc import StubRpc
from wallet_site import chain_state

pytestmark = pytest.mark.django_db

WEEK = RECOVERY_MODULES[7 * DAY]
CODE = b"\x60\x01"
HASH = keccak(CODE)


@pytest.fixture
def chain(settings: Any) -> Chain:
    """A chain with two nodes of two companies, and somebody's money."""
    reverse("home")  # a local chain's addresses are made once, before it is none
    settings.LOCAL_CHAIN = False
    settings.NODE_URL = "https://one.example/key"
    settings.SECOND_NODE_URL = "https://two.example/key"
    return make_chain()


def node(code: bytes = CODE) -> FakeNode:
    return FakeNode(account_codes={WEEK: code})


def read(chain: Chain, **nodes: Any) -> ModuleCode:
    both = {"node": node(), "second": node()}
    return module_codes.read(chain=chain, module=WEEK, **both | nodes)


def confirmed(chain: Chain) -> ModuleCode:
    row = read(chain)
    module_codes.confirm(row=row, code_hash=HASH, actor=None)
    return row


def test_nothing_is_usable_until_an_operator_confirms_what_both_nodes_gave(
    chain: Chain,
):
    assert "not offered on" in module_codes.why_none(chain)
    row = read(chain)
    assert (row.code_hash, row.confirmed_at) == (HASH, None)
    assert module_codes.usable_delays(chain) == []

    operator = make_operator()
    assert module_codes.confirm(row=row, code_hash=HASH, actor=operator)
    assert not module_codes.confirm(row=row, code_hash=HASH, actor=operator)

    assert module_codes.usable_delays(chain) == [7 * DAY]
    assert module_codes.why_none(chain) == ""
    (entry,) = JournalEntry.objects.all()
    assert (entry.actor, entry.detail) == (operator, to_hex(HASH))


def test_one_word_is_not_enough(chain: Chain, settings: Any, subtests: Any):
    away = node()
    away.failure = TransientClientError("ConnectTimeout")
    cases = {
        "Set SECOND_NODE_URL": {"second": None},
        "different code": {"second": node(b"\x60\x02")},
        "no code": {"node": node(b""), "second": node(b"")},
        "another chain": {"second": FakeNode(chain_id_answer=5)},
        "does not answer": {"second": away},
    }
    for words, nodes in cases.items():
        with subtests.test(words), pytest.raises(ModuleCodeRefused, match=words):
            read(chain, **nodes)
    settings.SECOND_NODE_URL = "https://one.example/another-key"
    with pytest.raises(ModuleCodeRefused, match="on one host"):
        read(chain)

    assert not ModuleCode.objects.exists()


def test_only_what_the_operator_saw_is_confirmed(chain: Chain):
    row = read(chain)
    read(chain, node=node(b"\x60\x02"), second=node(b"\x60\x02"))

    with pytest.raises(ModuleCodeRefused, match="not the hash"):
        module_codes.confirm(row=row, code_hash=HASH, actor=None)

    assert module_codes.usable_delays(chain) == []


def test_what_was_confirmed_is_not_written_over(chain: Chain):
    confirmed(chain)

    with pytest.raises(ModuleCodeRefused, match="was confirmed"):
        read(chain, node=node(b"\x60\x02"), second=node(b"\x60\x02"))

    assert ModuleCode.objects.get().code_hash == HASH


def test_the_stand_in_needs_no_word(chain: Chain, settings: Any):
    settings.LOCAL_CHAIN = True

    assert module_codes.usable_delays(chain) == sorted(RECOVERY_MODULES)
    with pytest.raises(CommandError, match="stand-in"):
        call_command("recovery_module", days=7)


def test_an_operator_confirms_in_the_console_and_nobody_else(
    chain: Chain, operator: Client, client: Client
):
    row = read(chain)
    chosen = {"action": "confirm_code", "_selected_action": row.pk}
    client.post(url_of(ModuleCode, "changelist"), chosen)
    assert module_codes.usable_delays(chain) == []

    page = operator.post(url_of(ModuleCode, "changelist"), chosen, follow=True)

    assert "Confirmed: 1." in page.text
    assert ModuleCode.objects.get().confirmed_by is not None
    assert JournalEntry.objects.get().actor is not None


@pytest.fixture
def operator() -> Client:
    client = Client()
    client.force_login(make_operator())
    return client


def test_other_code_stops_that_module_and_the_console_says_so(
    chain: Chain, operator: Client
):
    confirmed(chain)
    module_codes.compare(chain=chain, node=node())
    assert module_codes.changed(chain) == []

    for _again in range(2):
        module_codes.compare(chain=chain, node=node(b"\x60\x02"))

    assert module_codes.changed(chain) == [WEEK]
    assert module_codes.usable_delays(chain) == []
    actions = list(JournalEntry.objects.values_list("action", flat=True))
    assert actions.count("module-code-changed") == 1
    assert "Other code" in operator.get(url_of(ModuleCode, "changelist")).text
    words = "The recovery module of 7 days has other code than the confirmed."
    assert any(words in problem for problem in health(now=timezone.now()).problems)
    assert Chain.objects.get().problem == ""

    # A node that does not answer clears nothing; the code of before does.
    away = node()
    away.failure = TransientClientError("ConnectTimeout")
    with pytest.raises(TransientClientError):
        module_codes.compare(chain=chain, node=away)
    assert module_codes.changed(chain) == [WEEK]
    module_codes.compare(chain=chain, node=node())
    assert module_codes.usable_delays(chain) == [7 * DAY]


def test_no_code_at_all_is_other_code(chain: Chain):
    confirmed(chain)

    module_codes.compare(chain=chain, node=node(b""))

    assert module_codes.changed(chain) == [WEEK]


@pytest.mark.chain
def test_the_command_asks_two_nodes_and_the_hourly_check_covers_it(
    node_url: str, settings: Any
):
    local: LocalChain = chain_state.connect(url=node_url)
    chains.connect(node=local.node)
    rpc = local.node.rpc
    methods = ("eth_chainId", "eth_getCode")
    with StubRpc() as stub:
        stub.answers = {
            name: lambda *asked, name=name: rpc.call(name, *asked) for name in methods
        }
        settings.LOCAL_CHAIN = False
        settings.NODE_URL = node_url
        settings.SECOND_NODE_URL = stub.url.replace("127.0.0.1", "localhost")
        out = StringIO()
        call_command("recovery_module", days=7, stdout=out)
        (code,) = local.node.codes([WEEK], "latest")
        assert to_hex(keccak(code)) in out.getvalue()
        with pytest.raises(CommandError, match="no hash"):
            call_command("recovery_module", days=7, confirm="0x12")
        with pytest.raises(CommandError, match="not the hash"):
            call_command("recovery_module", days=7, confirm="0x" + "12" * 32)
        call_command(
            "recovery_module", days=7, confirm=to_hex(keccak(code)), stdout=out
        )
    assert "Confirmed." in out.getvalue()
    assert not chains.connect(node=local.node).problem

    # Somebody else's code at the address, from now on: payments go on.
    ModuleCode.objects.update(code_hash=Bytes32(b"\x07" * 32))
    chain = chains.connect(node=local.node)
    assert chain.problem == ""
    assert module_codes.changed(chain) == [WEEK]
