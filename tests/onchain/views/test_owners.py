"""The owners page, and asking there for changes of owners and of what else can act."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Credential
from onchain import allowance_words
from onchain.models import OperationSignature, Owner, UserOperation
from onchain.protocol.deployments import SAFE_4337_MODULE
from onchain.protocol.types import Address, checksum_address
from onchain.services import new_owners
from onchain.templatetags.display import short_address
from tests.accounts.visitor import Visitor
from tests.factories import World, make_credential, make_world
from tests.onchain.services.additions import added, removed, threshold_changed
from tests.onchain.services.changes import (
    CONTRACT,
    FOREIGN_HANDLER,
    GUARD,
    HANDLER,
    MODULES,
    add_owner,
    change_threshold,
    make_foreign,
    make_three,
    new_passkey,
    prove_wallet,
)
from tests.onchain.services.happenings import STRANGER, follow
from tests.pages import Page
from tests.wallets import make_wallet

pytestmark = pytest.mark.django_db
Kind = UserOperation.Kind
GOOGLE = "ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4"  # Google Password Manager
ALLOWANCES = "0xCFbFaC74C26F8647cBDb8c5caf80BB5b32E43134"
TOKEN = "0x7070707070707070707070707070707070707070"
BLOCKED = "Nothing can be sent or changed from here now"
GIVEN = {
    "module": ALLOWANCES,
    "delegate": checksum_address(Address(b"\xde" * 20)),
    "token": "0x0000000000000000000000000000000000000000",
    "amount": "500000000000000000",
    "spent": "1",
    "reset_minutes": 1440,
}


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def client(world: World) -> Client:
    client = Client()
    client.force_login(world.wallet.user)
    return client


def url(world: World, name: str = "owners") -> str:
    safe = world.wallet.safe
    return reverse(f"onchain:{name}", args=[safe.chain.chain_id, safe.address_text])


def post(client: Client, world: World, name: str, **fields: Any) -> Any:
    fields = {"idempotency_key": str(uuid.uuid4())} | fields
    return client.post(url(world, name), fields)


def test_the_page_names_every_owner_whole_and_the_threshold_in_words(
    world: World, client: Client
):
    owners = make_three(world)
    add_owner(world, CONTRACT, kind=Owner.Kind.UNKNOWN, proven_at=None)

    page = Page(client.get(url(world)))

    assert "2 of 4 must approve" in page.words
    for owner in owners:
        assert owner.address_text in page.words
    assert page.words.count("Not proven yet") == 1
    assert f"Unknown owner {short_address(CONTRACT)}" in page.words
    assert "No other module, no guard, no allowances" in page.words
    # It may be a passkey's signer, until its code was looked at.
    assert "Show that it signs" not in page.words
    Owner.objects.filter(address=CONTRACT).update(kind=Owner.Kind.CONTRACT)
    page = Page(client.get(url(world)))
    links = {item["href"] for item in page.with_attribute("href")}
    text = checksum_address(CONTRACT)
    assert page.words.count("Show that it signs") == 1
    assert f"{url(world, 'wallet-owner')}?wallet={text}" in links


@pytest.mark.parametrize(
    ("attachment", "said"), [("platform", 1), ("cross-platform", 0), (None, 0)]
)
def test_each_owner_is_named_with_its_provider_its_person_and_this_device(
    attachment: str | None, said: int
):
    visitor = make_wallet()
    theirs = make_credential(name="Bob's secret phone", aaguid=uuid.UUID(GOOGLE))
    Owner.objects.create(
        safe=visitor.safe, credential=theirs, address=b"\x77" * 20, position=1
    )
    browser = Visitor()
    answer = visitor.passkey.get(browser.begin("authentication"))
    answer["authenticatorAttachment"] = attachment
    assert browser.finish("authentication", answer).status_code == 303

    page = Page(browser.client.get(visitor.url("owners")))

    assert page.words.count("This device") == said
    assert f"Passkey · Google Password Manager · of {theirs.user.name}" in page.words
    assert "secret" not in page.words
    assert visitor.url("wallet-owner") in page.html
    assert visitor.url("invite") in page.html


def test_owners_that_were_changed_elsewhere_appear_and_those_that_left_do_not(
    world: World, client: Client
):
    safe, own = world.wallet.safe, world.wallet.owner
    follow(world)
    world.node.set_owners(safe.address, [STRANGER, own.address], 2)
    world.node.mine(added(safe.address, STRANGER), threshold_changed(safe.address))
    follow(world)

    joined = Page(client.get(url(world)))

    assert "2 of 2 must approve" in joined.words
    assert joined.words.index(checksum_address(STRANGER)) < joined.words.index(
        own.address_text
    )
    assert "Read from the chain at block 101." in joined.words

    world.node.set_owners(safe.address, [own.address], 1)
    world.node.mine(removed(safe.address, STRANGER), threshold_changed(safe.address))
    follow(world)

    left = Page(client.get(url(world)))

    assert "1 of 1 must approve" in left.words
    assert checksum_address(STRANGER) not in left.words
    assert "Read from the chain at block 102." in left.words


def test_each_owner_says_when_it_signed_last(world: World, client: Client):
    first, second, _third = make_three(world)
    for days, value in ((9, 1), (3, 2)):
        op = world.prepare(world.draft(value_wei=value))
        row = OperationSignature.objects.create(
            operation=op, owner=second, signature=b""
        )
        signed_at = timezone.now() - timedelta(days=days, minutes=1)
        OperationSignature.objects.filter(pk=row.pk).update(created_at=signed_at)

    page = Page(client.get(url(world)))

    assert page.words.count("signed last 3 days ago") == 1
    assert page.words.count("has not signed here") == 2
    assert "has not signed here" in page.words.partition(first.address_text)[0]


@pytest.mark.parametrize(
    ("kind", "proven_at", "said"),
    [
        (Owner.Kind.WALLET, "2026-01-01T00:00Z", "Proven"),
        (Owner.Kind.WALLET, None, "Not proven yet"),
        (Owner.Kind.CONTRACT, "2026-01-01T00:00Z", "Proven"),
        (Owner.Kind.CONTRACT, None, "Not proven yet"),
        (Owner.Kind.UNKNOWN, None, "Not proven yet"),
    ],
)
def test_each_owner_says_whether_it_has_shown_that_it_signs(
    kind: str, proven_at: str | None, said: str, world: World, client: Client
):
    world.wallet.safe.owners.update(proven_at="2026-01-01T00:00Z")
    owner = add_owner(world, CONTRACT, kind=kind, proven_at=proven_at)

    page = Page(client.get(url(world)))

    assert f"{short_address(owner.address_text)} {said}" in page.words


def test_a_passkey_is_proven_once_the_chain_has_seen_it_sign(
    world: World, client: Client
):
    before = Page(client.get(url(world)))
    world.wallet.safe.owners.update(proven_at=timezone.now())
    after = Page(client.get(url(world)))
    Credential.objects.update(removed_at=timezone.now())
    gone = Page(client.get(url(world)))

    assert "Not proven yet" in before.words
    assert "Not proven yet" not in after.words
    assert "Signs in no longer Not proven yet" in gone.words


def test_what_else_can_move_the_account_is_named_with_what_it_can_do(
    world: World, client: Client
):
    make_foreign(world)
    give(world, [])

    page = Page(client.get(url(world)))

    assert "Allowance module of Safe" in page.words
    assert "Nobody on its list has an allowance now." in page.words
    assert "can spend that much from this account" in page.words
    assert "It can move everything in this account without any owner." in page.words
    assert checksum_address(GUARD) in page.words
    assert "No other module" not in page.words


def give(world: World, allowances: list[dict[str, Any]], **fields: Any) -> None:
    """Say that a module lets others spend this from the account."""
    row = world.wallet.safe.foreign_configuration
    row.findings = [["module", ALLOWANCES], *row.findings]
    row.allowances = allowances
    row.has_all_allowances = fields.get("has_all_allowances", True)
    row.save()


def test_each_allowance_is_named_with_whose_it_is_how_much_and_how_often(
    world: World, client: Client
):
    make_foreign(world)
    give(world, [GIVEN, GIVEN | {"token": TOKEN, "amount": "7", "reset_minutes": 0}])

    page = Page(client.get(url(world)))

    words = "".join(page.words.split())
    for line in (
        f"{GIVEN['delegate']} may spend 0.5 ETH",
        "Spent so far: 0.000000000000000001 ETH · Renewed every day",
        f"{GIVEN['delegate']} may spend 7 smallest units of the token {TOKEN}",
        "Spent so far: 1 · Once, not renewed",
    ):
        assert "".join(line.split()) in words
    assert "There may be more" not in page.words
    assert "Nobody on its list" not in page.words


def test_allowances_that_could_not_all_be_read_are_said(world: World, client: Client):
    make_foreign(world)
    give(world, [], has_all_allowances=False)

    page = Page(client.get(url(world)))

    assert "There may be more than is named here" in page.words
    assert "Nobody on its list" not in page.words


def test_the_overview_says_how_many_allowances_there_are(world: World, client: Client):
    make_foreign(world)
    give(world, [GIVEN])

    page = Page(client.get(url(world, "safe-overview")))

    assert "Safe’s Allowance module." in page.words
    assert "1 given: the owners page names it." in page.words


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (0, "Once, not renewed"),
        (1, "Renewed every minute"),
        (90, "Renewed every 90 minutes"),
        (60, "Renewed every hour"),
        (2_880, "Renewed every 2 days"),
        (10_080, "Renewed every week"),
    ],
)
def test_how_often_an_allowance_is_renewed_is_in_words(minutes: int, words: str):
    assert allowance_words.renewal(minutes) == words


def test_removing_leads_to_the_review_of_a_draft(world: World, client: Client):
    owners = make_three(world)

    shown = client.get(url(world, "owner-remove"), {"owner": owners[2].address_text})
    answer = post(
        client, world, "owner-remove", removed=owners[2].address_text, threshold="2"
    )

    assert f'value="{owners[2].address_text}" selected' in shown.content.decode()
    op = UserOperation.objects.get()
    assert answer.url == reverse("onchain:operation", args=[op.pk])
    assert (op.kind, op.removed, op.new_threshold) == (
        Kind.REMOVE_OWNER,
        owners[2].address,
        2,
    )
    assert op.period_seconds is not None


def test_the_threshold_is_changed(world: World, client: Client):
    make_three(world)

    post(client, world, "owner-threshold", threshold="3")

    op = UserOperation.objects.get()
    assert (op.kind, op.new_threshold) == (Kind.CHANGE_THRESHOLD, 3)


def test_a_passkey_or_a_wallet_that_proved_itself_takes_anothers_place(
    world: World, client: Client
):
    owners = make_three(world)
    prove_wallet(world, CONTRACT)
    new = new_passkey(world)

    page = client.get(url(world, "owner-replace")).content.decode()
    post(
        client,
        world,
        "owner-replace",
        removed=owners[1].address_text,
        new=checksum_address(new.address),
    )

    assert checksum_address(CONTRACT) in page
    op = UserOperation.objects.get()
    assert (op.kind, op.new_signer) == (Kind.SWAP_OWNER, new.address)
    assert new_owners.NewOwner(address=new.address).kind == Kind.ADD_WALLET


def test_nobody_who_is_ready_is_said_with_the_way(world: World, client: Client):
    make_three(world)

    page = Page(client.get(url(world, "owner-replace")))

    assert "Nobody is ready to take a place yet" in page.words


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("owner-remove", {"removed": checksum_address(CONTRACT), "threshold": "1"}),
        ("owner-remove", {}),
        ("owner-threshold", {"threshold": "9"}),
        ("owner-threshold", {"threshold": "2"}),
        ("owner-replace", {"new": checksum_address(CONTRACT)}),
    ],
)
def test_a_form_that_cannot_be_is_answered_in_its_place(
    world: World, client: Client, name: str, fields: dict[str, str]
):
    make_three(world)
    prove_wallet(world, CONTRACT)

    answer = post(client, world, name, **fields)

    assert answer.status_code == 422
    assert "Nothing was prepared" in answer.content.decode()
    assert not UserOperation.objects.exists()


def test_what_would_lock_the_account_is_refused_with_words(
    world: World, client: Client
):
    owners = make_three(world, threshold=1)
    Owner.objects.filter(position__gt=0).update(proven_at=None)

    answer = post(
        client, world, "owner-remove", removed=owners[0].address_text, threshold="1"
    )

    assert answer.status_code == 422
    assert "the money could never be moved" in answer.content.decode()


def test_a_contract_counts_only_after_a_tick(world: World, client: Client):
    world.wallet.safe.owners.update(proven_at="2026-01-01T00:00Z")
    first = world.wallet.owner
    add_owner(world, CONTRACT, kind=Owner.Kind.CONTRACT, proven_at=None)
    named = {"removed": first.address_text, "threshold": "1"}

    page = client.get(url(world, "owner-remove")).content.decode()
    refused = post(client, world, "owner-remove", **named)
    taken = post(client, world, "owner-remove", **named, is_proof_waived="on")

    assert "I know what I do" in page
    assert (refused.status_code, taken.status_code) == (422, 302)


def test_a_foreign_module_is_removed_from_the_page(world: World, client: Client):
    make_foreign(world)

    answer = post(
        client,
        world,
        "configuration-remove",
        kind="disable-module",
        removed=checksum_address(MODULES[2]),
    )

    op = UserOperation.objects.get()
    assert answer.url == reverse("onchain:operation", args=[op.pk])
    assert (op.kind, op.removed, op.previous) == (
        Kind.DISABLE_MODULE,
        MODULES[2],
        MODULES[1],
    )


def test_nothing_is_offered_that_a_foreign_fallback_handler_stops(
    world: World, client: Client
):
    make_foreign(world, more=[FOREIGN_HANDLER])
    row = world.wallet.safe.foreign_configuration
    offer = url(world, "configuration-remove")

    stopped = Page(client.get(url(world)))
    row.findings = [found for found in row.findings if found[0] != "fallback handler"]
    row.save(update_fields=["findings"])
    free = Page(client.get(url(world)))

    assert "While it stands here no operation of this site works" in stopped.words
    ways = {offer, *(url(world, name) for name in ("owner-replace", "wallet-owner"))}
    assert not [way for way in ways if way in stopped.html]
    assert [way for way in ways if way in free.html] == list(ways)
    assert BLOCKED in stopped.words
    assert BLOCKED not in free.words


@pytest.mark.parametrize("name", ["owner-threshold", "owner-remove", "send"])
def test_every_page_that_asks_says_so_and_takes_nothing(
    world: World, client: Client, name: str
):
    owners = make_three(world)
    make_foreign(world, more=[FOREIGN_HANDLER])
    fields = {"removed": owners[2].address_text, "threshold": "1"}
    if name == "send":
        fields = {"recipient": checksum_address(CONTRACT), "amount": "0.1"}

    shown = Page(client.get(url(world, name)))
    answer = post(client, world, name, **fields)

    assert BLOCKED in shown.words
    words = "".join(shown.words.split())
    assert f"f08a0323{SAFE_4337_MODULE.rjust(32, bytes(1)).hex()}" in words
    assert answer.status_code == 422
    assert BLOCKED in Page(answer).words
    assert not UserOperation.objects.exists()


def test_the_overview_offers_no_payment_and_says_what_to_do(
    world: World, client: Client
):
    free = Page(client.get(url(world, "safe-overview")))
    make_foreign(world, more=[FOREIGN_HANDLER])

    page = Page(client.get(url(world, "safe-overview")))

    assert url(world, "send") in free.html
    assert url(world, "send") not in page.html
    assert BLOCKED in page.words
    assert "the owners let the account call itself once" in page.words
    assert 'hx-trigger="every 5s"' in page.html


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "reset-handler", "removed": checksum_address(HANDLER)},
        {"kind": "payment", "removed": checksum_address(GUARD)},
        {"kind": "remove-guard", "removed": "0x"},
        {"kind": "remove-guard"},
    ],
)
def test_an_incomplete_press_changes_nothing(
    world: World, client: Client, fields: dict[str, str]
):
    make_foreign(world)

    assert post(client, world, "configuration-remove", **fields).status_code == 400


def test_the_change_under_way_is_named(world: World, client: Client):
    make_three(world)
    op = change_threshold(world, 1)

    page = client.get(url(world)).content.decode()

    assert reverse("onchain:operation", args=[op.pk]) in page
    assert "A change is under way" in page
