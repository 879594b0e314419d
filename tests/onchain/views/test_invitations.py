"""The pages of an invitation, from both sides, over HTTP (R62, R63)."""

from __future__ import annotations

import json
import re
import uuid

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.models import User
from onchain.models import Invitation, KeyProof, Role, Safe, UserOperation
from onchain.services import roles
from tests.accounts.visitor import Visitor
from tests.pages import Page
from tests.soft_authenticator import SoftAuthenticator, base64url
from tests.wallets import Wallet, join, make_invitation, prove

pytestmark = pytest.mark.django_db

LINK = re.compile(r"/invitation#([\w-]{43})")


def invite(wallet: Wallet, role: Role = Role.OWNER) -> str:
    """Make a link on the page; return its token."""
    response = wallet.post("invite", {"name": "Bob", "role": role.value})
    assert response.status_code == 200
    return LINK.findall(response.content.decode())[0]


def opened(client: Client, token: str) -> str:
    """Open a link; return the address of the guest's page."""
    response = client.post(reverse("onchain:invitation-open"), {"token": token})
    assert response.status_code == 303
    return response["Location"]


def accept(client: Client, url: str, passkey: SoftAuthenticator) -> HttpResponse:
    """Touch the passkey as the page asks, and let the chain agree."""
    request = client.get(url).context["signing_request"]
    challenge = bytes.fromhex(request["hash"][2:])
    answer = passkey.get({"challenge": base64url(challenge)})
    response = client.post(f"{url}accept", {"credential": json.dumps(answer)})
    KeyProof.objects.update(status=KeyProof.Status.PROVEN)
    return response


@pytest.mark.parametrize("name", ["invitation-link", "invitation-open"])
def test_a_links_pages_stay_out_of_caches_indexes_and_referers(name, client):
    url = reverse(f"onchain:{name}")

    response = client.get(url) if name == "invitation-link" else client.post(url)

    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "no-referrer"
    assert "noindex" in response["X-Robots-Tag"]


def test_the_page_with_the_link_shows_it_once_and_is_kept_private(alice):
    response = alice.post("invite", {"name": "Bob", "role": "viewer"})
    (token,) = set(LINK.findall(response.content.decode()))

    assert response["Referrer-Policy"] == "no-referrer"
    invitation = Invitation.objects.get()
    page = alice.client.get(
        reverse(
            "onchain:invited",
            args=[31337, alice.safe.address_text, invitation.pk],
        )
    )
    assert token not in page.content.decode()


@pytest.mark.parametrize("data", [{}, {"name": "Bob"}, {"name": "B", "role": "king"}])
def test_an_incomplete_invitation_is_422_and_makes_no_link(data, alice):
    assert alice.post("invite", data).status_code == 422
    assert not Invitation.objects.exists()


def test_looking_at_a_link_changes_nothing_and_opening_it_needs_a_person(alice):
    token = invite(alice)
    before = list(Invitation.objects.values())

    Client().get(reverse("onchain:invitation-link"))
    answer = Client().post(reverse("onchain:invitation-open"), {"token": token})

    assert answer.status_code == 410
    assert list(Invitation.objects.values()) == before


def test_a_guest_registers_a_passkey_and_nothing_is_opened_for_them():
    visitor, passkey = Visitor(), SoftAuthenticator()
    options = visitor.begin("registration")

    response = visitor.finish(
        "registration",
        passkey.create(options),
        passkey_only="on",
        next="/invitation?signed-in#token",
    )

    assert response["Location"] == "/invitation?signed-in#token"
    user = User.objects.get(user_handle=passkey.user_handle)
    assert not Safe.objects.filter(created_by=user).exists()
    page = visitor.client.get("/").content.decode()
    assert "Create a wallet" in page


def test_who_came_with_a_passkey_only_opens_one_wallet_however_often_they_press(alice):
    visitor, passkey = Visitor(), SoftAuthenticator()
    options = visitor.begin("registration")
    visitor.finish("registration", passkey.create(options), passkey_only="on")

    answers = [visitor.client.post(reverse("onchain:account-first")) for _ in range(2)]

    safe = Safe.objects.get(created_by=User.objects.latest("pk"))
    assert {answer["Location"] for answer in answers} == {
        reverse("onchain:safe-detail", args=[31337, safe.address_text])
    }


def test_a_guest_accepts_both_see_the_same_words_and_the_owner_confirms(alice, bob):
    url = opened(bob.client, invite(alice, Role.APPROVER))
    accept(bob.client, url, bob.passkey)
    invitation = Invitation.objects.get()
    place = [31337, alice.safe.address_text, invitation.pk]
    theirs = bob.client.get(url)
    ours = alice.client.get(reverse("onchain:invited", args=place))

    assert "The invitation of Bob" in Page(ours).words
    assert f"{alice.user.name} invites you to {alice.safe.name}" in Page(theirs).words
    assert theirs.context["words"] == ours.context["words"]
    assert len(ours.context["words"]) == 6
    alice.client.post(
        reverse("onchain:invited-confirm", args=place),
        {"words": ours.context["spoken"]},
    )

    invitation.refresh_from_db()
    assert invitation.status == Invitation.Status.CONFIRMED
    assert "You are confirmed" in bob.client.get(url).content.decode()


def test_a_confirmed_key_is_added_by_an_operation_that_the_owner_reviews(alice, bob):
    prove(alice)
    url = opened(bob.client, invite(alice))
    accept(bob.client, url, bob.passkey)
    invitation = Invitation.objects.get()
    place = [31337, alice.safe.address_text, invitation.pk]
    page = alice.client.get(reverse("onchain:invited", args=place))
    alice.client.post(
        reverse("onchain:invited-confirm", args=place),
        {"words": page.context["spoken"]},
    )
    data = {"threshold": 2, "idempotency_key": str(uuid.uuid4())}

    answers = [
        alice.client.post(reverse("onchain:invited-add", args=place), data)
        for _ in range(2)
    ]

    op = UserOperation.objects.get()
    assert op.invitation == invitation
    assert op.new_threshold == 2
    review = reverse("onchain:operation", args=[op.pk])
    assert {answer["Location"] for answer in answers} == {review}
    page = alice.client.get(reverse("onchain:invited", args=place))
    assert review in page.content.decode()


def test_nothing_is_added_before_the_words_were_compared(alice, bob):
    prove(alice)
    url = opened(bob.client, invite(alice))
    accept(bob.client, url, bob.passkey)
    place = [31337, alice.safe.address_text, Invitation.objects.get().pk]
    data = {"threshold": 1, "idempotency_key": str(uuid.uuid4())}

    response = alice.client.post(reverse("onchain:invited-add", args=place), data)

    assert response.status_code == 422
    assert not UserOperation.objects.exists()


def test_a_viewer_accepts_without_a_touch_and_looks_after_the_confirmation(alice, bob):
    url = opened(bob.client, invite(alice, Role.VIEWER))
    assert "signing_request" not in bob.client.get(url).context

    bob.client.post(f"{url}accept")
    invitation = Invitation.objects.get()
    assert bob.get("safe-detail").status_code == 200  # his own
    assert bob.client.get(alice.url("safe-detail")).status_code == 404

    place = [31337, alice.safe.address_text, invitation.pk]
    spoken = alice.client.get(reverse("onchain:invited", args=place)).context["spoken"]
    alice.client.post(reverse("onchain:invited-confirm", args=place), {"words": spoken})

    assert bob.client.get(alice.url("safe-detail")).status_code == 200


def test_a_failed_touch_is_said_on_the_guests_page(alice, bob):
    url = opened(bob.client, invite(alice))

    response = accept(bob.client, url, SoftAuthenticator())

    assert response.status_code == 422
    assert "Nothing was accepted" in response.content.decode()


def test_the_start_page_leads_to_an_invitation_that_waits(alice, bob):
    invitation = make_invitation(alice, guest=bob)

    page = bob.client.get("/").content.decode()

    assert reverse("onchain:invitation", args=[invitation.pk]) in page


def test_people_and_open_invitations_stand_on_the_owners_page(alice):
    viewer = join(alice, Role.VIEWER)
    invitation = make_invitation(alice)
    url = reverse(
        "onchain:invited", args=[31337, alice.safe.address_text, invitation.pk]
    )

    ours = alice.get("owners").content.decode()
    theirs = viewer.get("owners").content.decode()

    assert url in ours
    assert alice.url("invite") in ours
    assert viewer.user.name in ours
    assert url not in theirs
    assert alice.url("invite") not in theirs


def test_an_owner_ends_what_a_viewer_sees(alice):
    viewer = join(alice, Role.VIEWER)
    membership = viewer.user.memberships.get()

    alice.client.post(
        reverse(
            "onchain:membership-end",
            args=[31337, alice.safe.address_text, membership.pk],
        )
    )

    assert roles.role_of(safe=alice.safe, user=viewer.user) is None


def test_a_viewer_leaves_by_themselves_after_a_second_press(alice):
    viewer = join(alice, Role.VIEWER)
    page = Page(viewer.get("owners"))
    assert "Leave this account" in page.words
    assert "come back only by a new invitation" in page.words

    assert viewer.post("membership-leave", {}).status_code == 400
    assert roles.role_of(safe=alice.safe, user=viewer.user) == Role.VIEWER
    viewer.post("membership-leave", {"leave": "yes"})

    assert roles.role_of(safe=alice.safe, user=viewer.user) is None
    assert viewer.get("owners").status_code == 404


@pytest.mark.parametrize("role", [Role.OWNER, Role.APPROVER])
def test_whose_key_is_an_owner_cannot_leave(alice, role):
    other = join(alice, role)

    answer = other.client.post(
        alice.url("membership-leave"), {"leave": "yes"}, follow=True
    )

    assert "An owner has to remove it first" in answer.content.decode()
    assert "Leave this account" not in answer.content.decode()
    assert roles.role_of(safe=alice.safe, user=other.user) == role


def test_an_invitation_taken_back_says_so_to_its_guest(alice, bob):
    invitation = make_invitation(alice, guest=bob)
    place = [31337, alice.safe.address_text, invitation.pk]

    alice.client.post(reverse("onchain:invited-revoke", args=place))

    url = reverse("onchain:invitation", args=[invitation.pk])
    assert "was taken back" in bob.client.get(url).content.decode()
