"""Who may bring an account back: the pages that say so and that ask for changes."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from onchain.models import (
    Guardian,
    Invitation,
    KeyProof,
    Membership,
    Owner,
    Role,
    UserOperation,
)
from onchain.models.operation_states import Status
from onchain.protocol.types import Address, checksum_address
from onchain.services import alert_contacts, ways_in
from tests.factories import World, make_operation, make_user, make_world
from tests.onchain.services.additions import newcomer, prove
from tests.onchain.services.changes import make_invitation, set_threshold
from tests.onchain.services.guarding import (
    MODULE,
    NEW,
    ROLE,
    WEEK,
    guard,
    prove_guardians,
    read,
)
from tests.onchain.services.recoveries import GUARDIANS
from tests.pages import Page

pytestmark = pytest.mark.django_db
Kind = UserOperation.Kind
A, B, C = (checksum_address(each) for each in GUARDIANS)


@pytest.fixture
def world(db: None) -> World:
    return make_world()


@pytest.fixture
def client(world: World) -> Client:
    found = Client()
    found.force_login(world.wallet.user)
    return found


def url(world: World, name: str = "") -> str:
    safe = world.wallet.safe
    return f"/safes/{safe.chain.chain_id}/{safe.address_text}/recovery/{name}"


def form(**fields: Any) -> dict[str, Any]:
    defaults = {"threshold": "2", "unwarned": "on"}
    return {"idempotency_key": str(uuid.uuid4())} | defaults | fields


def opened(response: Any) -> UserOperation:
    """Return the only draft, whose page must be what was answered."""
    op = UserOperation.objects.get(status=Status.DRAFT)
    assert response.status_code == 302, Page(response).words
    assert response.url == f"/operations/{op.pk}/"
    return op


def made_here(world: World) -> None:
    """Say that an operation of this site made them guardians."""
    make_operation(
        world.wallet,
        kind=Kind.SET_UP_RECOVERY,
        module=MODULE,
        guardians=[A, B, C],
        status=Status.INCLUDED,
        block_number=1,
    )


# --- How it stands ------------------------------------------------------------------------


def test_an_account_without_guardians_says_so_and_offers_them(
    world: World, client: Client
):
    page = Page(client.get(url(world)))

    assert "Recovery is not set up" in page.words
    assert f'href="{url(world, "set-up/")}"' in page.html


def test_the_page_says_who_guards_how_many_must_approve_and_how_long_one_can_cancel(
    world: World, client: Client
):
    prove_guardians(world, *GUARDIANS)
    guard(world)
    made_here(world)

    page = Page(client.get(url(world)))

    assert "2 of 3 guardians must approve a recovery." in page.words
    assert "The owners then have 3 minutes to cancel it." in page.words
    assert world.wallet.user.name in page.words
    assert page.words.count("Proven") == 3
    for guardian in (A, B, C):
        assert f"?guardian={guardian}" in page.html
    assert "on another site" not in page.words
    for name in ("add/", "threshold/", "turn-off"):
        assert url(world, name) in page.html


def test_who_was_made_a_guardian_elsewhere_is_warned_about(
    world: World, client: Client
):
    guard(world)

    page = Page(client.get(url(world)))
    owners = Page(client.get(url(world).replace("recovery", "owners")))

    assert "Somebody here was made a guardian on another site." in page.words
    assert page.words.count("Not proven here") == 3
    assert "was not made a guardian on this site" in owners.words


def test_one_guardian_and_guardians_of_one_site_are_advised_against(
    world: World, client: Client
):
    fake = guard(world, GUARDIANS[0], threshold=1)
    assert "Two of three are better." in Page(client.get(url(world))).words
    fake.guard(*GUARDIANS[:2])
    read(world, fake)
    Guardian.objects.update(kind=Owner.Kind.PASSKEY)

    words = Page(client.get(url(world))).words

    assert "Every guardian is a passkey of this site’s web address." in words


def test_the_owners_page_names_recovery_in_words_of_its_own(
    world: World, client: Client
):
    prove_guardians(world, *GUARDIANS)
    guard(world)
    made_here(world)

    page = Page(client.get(url(world).replace("recovery", "owners")))

    assert "2 of 3 guardians can give the account new owners" in page.words
    assert "A module that is not this site’s" not in page.words
    assert "text-error" not in page.html


def test_guardians_are_a_second_way_in(world: World, client: Client):
    Owner.objects.update(proven_at="2026-01-01T00:00Z")
    safe, user = world.wallet.safe, world.wallet.user
    assert ways_in.ways_in(safe=safe, user=user).is_one_passkey

    guard(world)

    assert not ways_in.ways_in(safe=safe, user=user).is_one_passkey
    page = Page(client.get(url(world).replace("recovery", "second-way")))
    assert "guardians can bring it back" in page.words
    assert f'href="{url(world)}"' in page.html


def test_who_only_looks_is_offered_nothing(world: World, client: Client):
    guard(world, begun=True)
    viewer = make_user()
    Membership.objects.create(
        safe=world.wallet.safe,
        user=viewer,
        role=Role.VIEWER,
        created_by=world.wallet.user,
    )
    client.force_login(viewer)

    page = Page(client.get(url(world)))

    assert "2 of 3 guardians must approve a recovery." in page.words
    assert "Turn recovery off" not in page.words
    assert 'action="' + url(world, "cancel") not in page.html


# --- Setting it up ------------------------------------------------------------------------


def test_recovery_is_set_up_with_those_who_are_chosen(world: World, client: Client):
    prove_guardians(world, *GUARDIANS)
    page = Page(client.get(url(world, "set-up/")))
    for guardian in (A, B, C):
        assert f'value="{guardian}"' in page.html

    response = client.post(
        url(world, "set-up/"), form(guardians=[C, A], delay=str(7 * 86_400))
    )

    op = opened(response)
    assert (op.kind, bytes(op.module)) == (Kind.SET_UP_RECOVERY, WEEK)
    assert (op.guardians, op.new_threshold) == ([C, A], 2)


def test_a_contract_is_added_on_ones_word_only(world: World, client: Client):
    prove_guardians(world, GUARDIANS[0])
    fields = {"guardians": [A], "delay": "180", "contract": checksum_address(NEW)}

    refused = client.post(url(world, "set-up/"), form(**fields))
    response = client.post(url(world, "set-up/"), form(**fields, understood="on"))

    assert refused.status_code == 422
    assert "Tick this first" in Page(refused).words
    op = opened(response)
    assert op.guardians == [A, checksum_address(NEW)]
    assert op.is_proof_waived


def test_what_cannot_be_is_said_in_the_form(
    world: World, client: Client, subtests: Any
):
    prove_guardians(world, *GUARDIANS)
    for fields, words in (
        ({"delay": "180"}, "Choose at least one guardian."),
        ({"guardians": [A], "delay": "180"}, "2 cannot approve"),
        ({"guardians": [A, B], "delay": "999"}, "Choose"),
        ({"guardians": [A, checksum_address(NEW)], "delay": "180"}, "Select a valid"),
        (
            {
                "guardians": [A, B],
                "delay": "180",
                "contract": "0x12",
                "understood": "1",
            },
            "An address has 40 characters",
        ),
    ):
        with subtests.test(words):
            response = client.post(url(world, "set-up/"), form(**fields))

            assert response.status_code == 422
            assert words in Page(response).words
            assert not UserOperation.objects.exists()


def test_an_owner_whom_nobody_can_warn_says_that_they_know(
    world: World, client: Client
):
    prove_guardians(world, *GUARDIANS)
    fields = form(guardians=[A, B], delay="180")
    assert (
        "Nobody can be warned by mail" in Page(client.get(url(world, "set-up/"))).words
    )
    del fields["unwarned"]

    refused = client.post(url(world, "set-up/"), fields)
    response = client.post(url(world, "set-up/"), fields | {"unwarned": "on"})

    assert refused.status_code == 422
    assert "Name somebody who is warned first" in Page(refused).words
    assert opened(response).kind == Kind.SET_UP_RECOVERY
    assert alert_contacts.is_settled(safe=world.wallet.safe)
    assert "Nobody can be warned" not in Page(client.get(url(world, "set-up/"))).words


def test_an_invited_person_can_be_chosen_once_the_words_were_compared(
    world: World, client: Client
):
    new = newcomer(world, user=make_user())
    proof = prove(world, new)
    KeyProof.objects.filter(pk=proof.pk).update(role=ROLE)
    invitation = make_invitation(
        world, new, role=ROLE, status=Invitation.Status.ACCEPTED
    )
    text = checksum_address(Address(new.signer))

    before = Page(client.get(url(world, "set-up/")))
    Invitation.objects.filter(pk=invitation.pk).update(
        status=Invitation.Status.CONFIRMED
    )
    after = Page(client.get(url(world, "set-up/")))

    assert "accepted: compare the words with them" in before.words
    assert f'value="{text}"' not in before.html
    assert f'value="{text}"' in after.html
    assert "Bob" in after.words


def test_where_it_is_on_setting_up_leads_to_the_guardians(world: World, client: Client):
    guard(world)

    assert client.get(url(world, "set-up/")).url == url(world)


# --- Changing it --------------------------------------------------------------------------


def test_a_guardian_is_added_removed_and_the_number_changed(
    world: World, client: Client, subtests: Any
):
    prove_guardians(world, NEW)
    guard(world)
    new = checksum_address(NEW)
    for name, fields, kind in (
        ("add/", {"guardian": new, "threshold": "3"}, Kind.ADD_GUARDIAN),
        ("remove/", {"guardian": B, "threshold": "1"}, Kind.REVOKE_GUARDIAN),
        ("threshold/", {"threshold": "3"}, Kind.CHANGE_GUARDIANS),
        ("turn-off", {"module": checksum_address(MODULE)}, Kind.REMOVE_RECOVERY),
    ):
        with subtests.test(name):
            if name != "turn-off":
                assert client.get(url(world, name)).status_code == 200

            op = opened(client.post(url(world, name), form(**fields)))

            assert op.kind == kind
            assert bytes(op.module) == MODULE
            UserOperation.objects.all().delete()


def test_nobody_or_two_at_once_are_no_new_guardian(world: World, client: Client):
    prove_guardians(world, NEW)
    guard(world)
    both = {"guardian": checksum_address(NEW), "contract": A, "understood": "on"}

    for fields in ({}, both):
        response = client.post(url(world, "add/"), form(**fields))

        assert response.status_code == 422
        assert "Choose one new guardian." in Page(response).words


def test_a_recovery_that_has_begun_is_cancelled_by_one_button(
    world: World, client: Client
):
    guard(world, begun=True)
    page = Page(client.get(url(world)))
    assert "Cancel recovery" in page.words
    assert f'value="{checksum_address(MODULE)}"' in page.html

    response = client.post(url(world, "cancel"), form(module=checksum_address(MODULE)))

    assert opened(response).kind == Kind.CANCEL_RECOVERY


def test_what_cannot_be_cancelled_is_said_on_the_page(world: World, client: Client):
    guard(world)

    response = client.post(
        url(world, "cancel"), form(module=checksum_address(MODULE)), follow=True
    )

    assert "No recovery of this account is under way any more." in Page(response).words
    assert client.post(url(world, "cancel"), form(module="0x")).status_code == 400


def test_several_owners_choose_how_long_they_may_sign(world: World, client: Client):
    prove_guardians(world, *GUARDIANS)
    set_threshold(world, 2)

    page = Page(client.get(url(world, "set-up/")))

    assert "Time to approve" in page.words


# --- A wallet as guardian -----------------------------------------------------------------


def test_a_wallet_signs_a_text_that_names_the_role(world: World, client: Client):
    assert client.get(url(world, "wallet/")).status_code == 200

    page = Page(client.get(url(world, "wallet/"), {"wallet": checksum_address(NEW)}))

    assert "Role: guardian" in page.words
    assert world.wallet.safe.address_text in page.words
