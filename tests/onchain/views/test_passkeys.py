"""The passkeys page: what each passkey is, what it can move, and how to get it out.

I-04, I-05, I-09, K-03, K-05, L-14, C-24: the words about one passkey. R6: what is
proven. R14: what is offered here. The rows are tests/onchain/services/test_passkey_list.
"""

from __future__ import annotations

import json
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Credential, Session, User
from accounts.strict_json import encode_base64url
from onchain.models import KeyProof, Safe
from onchain.services import key_proofs, safes
from tests.accounts.visitor import Visitor
from tests.factories import make_credential, make_operator, make_user
from tests.pages import Page
from tests.soft_authenticator import BE, BS, SoftAuthenticator
from tests.wallets import Wallet, make_chain, prove

pytestmark = pytest.mark.django_db

PAGE = "/passkeys/"
ONE_PASSWORD = uuid.UUID("bada5566-a7aa-401f-bd96-45619a55120d")
SIGNS_IN_ONLY = "Signs in only, cannot pay"
ANOTHER_DEVICE = "You signed in with a passkey from another device"
STATES = ("Synced", "Can sync, but is not backed up yet", "This device only")
DATA_ICON = re.compile(r"data:image/(?:svg\+xml|png);base64,[A-Za-z0-9+/=]+")
MOST_QUERIES = 12


def opened(client: Client, path: str = PAGE) -> Page:
    response = client.get(path, follow=True)
    assert response.status_code == 200
    return Page(response)


def change(user: User, **fields: Any) -> None:
    Credential.objects.filter(user=user).update(**fields)


def hrefs(page: Page) -> list[str]:
    return [element["href"] for element in page.with_attribute("href")]


def copied(page: Page) -> list[str]:
    return [element["data-copy"] for element in page.with_attribute("data-copy")]


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


# --- What a passkey is -----------------------------------------------------------------


def test_the_page_says_what_it_is_at_its_own_address(alice):
    response = alice.client.get(reverse("passkeys"))

    assert reverse("passkeys") == PAGE
    assert re.search(r"<h1[^>]*>Passkeys</h1>", response.content.decode())


def test_a_known_provider_has_name_and_icon(alice):
    change(alice.user, aaguid=ONE_PASSWORD)

    page = opened(alice.client)

    assert "1Password" in page.words
    icons = [element["src"] for tag, element in page.elements if tag == "img"]
    dark = [element["srcset"] for tag, element in page.elements if tag == "source"]
    assert len(icons) == len(dark) == 1
    assert icons != dark
    assert all(DATA_ICON.fullmatch(icon) for icon in icons + dark)


def test_an_unknown_provider_is_said_so_with_an_icon_of_our_own(alice):
    page = opened(alice.client)

    assert "Unknown provider" in page.words
    assert not any(tag == "img" for tag, _attributes in page.elements)


def test_nothing_drawn_by_others_stands_in_our_markup(alice):
    change(alice.user, aaguid=ONE_PASSWORD)

    page = opened(alice.client)

    drawings = [element for tag, element in page.elements if tag == "svg"]
    assert drawings
    assert all(
        "lucide" in element.get("class", "") or element.get("aria-hidden") == "true"
        for element in drawings
    )


@pytest.mark.parametrize(
    ("eligible", "backed_up", "state", "meaning"),
    [
        (True, True, STATES[0], "whoever gets into it gets this passkey too"),
        (True, False, STATES[1], "this passkey is lost with it"),
        (False, False, STATES[2], "it does not move along to a new phone"),
    ],
)
def test_one_state_is_named_with_what_it_means_when_the_phone_is_lost(
    eligible, backed_up, state, meaning, alice
):
    change(alice.user, backup_eligible=eligible, backup_state=backed_up)

    words = opened(alice.client).words

    assert [each for each in STATES if each in words] == [state]
    assert meaning in words


def test_the_domain_it_is_bound_to_is_printed(alice):
    assert f"Works only on {settings.WEBAUTHN_RP_ID}" in opened(alice.client).words


def test_it_says_when_it_was_made_used_and_last_signed(alice):
    now = timezone.now()
    change(
        alice.user,
        created_at=now - timedelta(days=400),
        last_used_at=now - timedelta(hours=3),
        last_signed_at=now - timedelta(days=2),
    )

    words = opened(alice.client).words

    assert f"Added {now - timedelta(days=400):%-d %b %Y}" in words
    assert "Last used 3 hours ago" in words
    assert "Last signed for the chain 2 days ago" in words


def test_what_never_happened_is_said_so(alice):
    words = opened(alice.client).words

    assert "Last used Not yet" in words
    assert "Last signed for the chain Never" in words


def test_transports_are_words(alice):
    change(alice.user, transports=["nfc", "usb"])

    assert "Reached by NFC, by USB" in opened(alice.client).words


def test_without_transports_it_says_that_nobody_said(alice):
    change(alice.user, transports=[])

    assert "Reached Not said" in opened(alice.client).words


def test_a_name_is_text(alice):
    """R34"""
    change(alice.user, name="<b>mine</b>\u202e")

    page = opened(alice.client)

    assert "&lt;b&gt;mine&lt;/b&gt;⟨U+202E⟩" in page.html
    assert "<b>mine</b>" not in page.html


def test_the_passkey_of_this_session_is_marked_and_no_other(alice):
    second = make_credential(user=alice.user, name="The second")
    session = alice.client.session
    session["credential"] = second.pk
    session.save()

    html = opened(alice.client).html

    marked = [
        card
        for card in re.findall(r"<article.*?</article>", html, re.DOTALL)
        if "This browser signed in with it" in card
    ]
    assert len(marked) == 1
    assert "The second" in marked[0]


@pytest.mark.parametrize(
    ("owning", "resting", "sentence"),
    [
        (1, 0, "One passkey signs you in. It owns an account on chain."),
        (0, 1, "One passkey signs you in. It owns no account on chain."),
        (1, 1, "2 passkeys sign you in. 1 of them owns an account on chain."),
        (2, 1, "3 passkeys sign you in. 2 of them own an account on chain."),
        (2, 0, "2 passkeys sign you in. All of them own an account on chain."),
        (0, 2, "2 passkeys sign you in. None of them owns an account on chain."),
    ],
)
def test_signing_in_and_owning_are_counted_apart(owning, resting, sentence):
    """K-05"""
    user = make_user()
    for _number in range(owning):
        credential = make_credential(user=user)
        safes.open_safe(user=user, credential=credential, chain=make_chain())
    for _number in range(resting):
        make_credential(user=user)

    assert sentence in opened(browser_of(user)).words


# --- What it can move ------------------------------------------------------------------


def test_an_owner_links_its_account_and_can_be_proven(alice):
    page = opened(alice.client)

    assert "Owner on chain of Account 1" in page.words
    assert "Not proven yet" in page.words
    assert alice.url("safe-detail") in hrefs(page)
    proving = [
        element
        for tag, element in page.elements
        if element.get("aria-label") == "Prove this passkey for Account 1"
    ]
    assert [element["href"] for element in proving] == [alice.url("receive")]
    assert SIGNS_IN_ONLY not in page.words


def test_a_proven_owner_says_since_when_and_asks_for_nothing(alice):
    prove(alice)

    page = opened(alice.client)

    assert f"Proven on {timezone.now():%-d %b %Y}" in page.words
    assert "Prove this passkey" not in page.html


def test_only_the_passkey_that_receive_asks_is_sent_there(alice):
    """Receive asks the account's first passkey of the person, and never a removed one."""
    second = make_credential(user=alice.user)
    safes.open_safe(user=alice.user, credential=second, chain=make_chain())
    first = alice.safe.owners.get()
    first.pk, first.position, first.credential = None, 1, second
    first.address = b"\5" * 20
    first.save(force_insert=True)

    page = opened(alice.client)

    labels = [element.get("aria-label", "") for _tag, element in page.elements]
    assert labels.count("Prove this passkey for Account 1") == 1
    assert labels.count("Prove this passkey for Account 2") == 1
    assert page.words.count("Not proven yet") == 3


def test_a_passkey_that_owns_nothing_says_so_with_the_next_step(alice):
    second = make_credential(user=alice.user)

    page = opened(alice.client)

    assert page.words.count(SIGNS_IN_ONLY) == 1
    assert reverse("onchain:passkey-accounts", args=[second.pk]) in hrefs(page)


def test_a_proof_as_guardian_is_remembered_without_the_name_of_the_account(alice, bob):
    Safe.objects.filter(pk=bob.safe.pk).update(name="Bob's savings")
    proof = key_proofs.open_proof(
        credential=alice.user.credentials.get(),
        safe=bob.safe,
        role=KeyProof.Role.GUARDIAN,
    )
    KeyProof.objects.filter(pk=proof.pk).update(
        status=KeyProof.Status.PROVEN, signed_at=timezone.now()
    )

    words = opened(alice.client).words

    address = bob.safe.address_text
    assert f"As guardian of {address[:6]}…{address[-4:]}" in words
    assert "savings" not in words


def test_a_removed_passkey_that_still_owns_is_told_apart_without_a_next_step(alice):
    make_credential(user=alice.user)
    first = alice.user.credentials.order_by("pk").first()
    Credential.objects.filter(pk=first.pk).update(
        removed_at=timezone.now(), name="Lost phone"
    )

    page = opened(alice.client)

    assert "Removed here, still named on chain" in page.words
    assert page.words.count("Lost phone") == 1
    assert f'id="passkey-{first.pk}"' not in page.html
    assert "Prove this passkey" not in page.html


def test_without_removed_passkeys_nothing_is_said_of_them(alice):
    assert "Removed here" not in opened(alice.client).words


# --- Technical details -----------------------------------------------------------------


def test_everything_public_of_it_stands_there_whole_and_copyable(alice):
    passkey = alice.passkey
    owner = alice.safe.owners.get()

    page = opened(alice.client)

    for value in (
        encode_base64url(passkey.credential_id),
        f"0x{passkey.x.hex()}",
        f"0x{passkey.y.hex()}",
        owner.address_text,
    ):
        assert value in copied(page)
        assert value in page.text.replace("\n", "")
    assert str(uuid.UUID(bytes=passkey.aaguid)) in page.words


def test_flags_and_counter_are_told(alice):
    change(alice.user, flags=0x05, sign_count=41)

    words = opened(alice.client).words

    assert "UP yes somebody was present" in words
    assert "UV yes your provider reports that it checked who you are" in words
    assert "BE no it may be synced" in words
    assert "Counter 41" in words


def test_flags_that_were_not_kept_are_said_to_be_missing(alice):
    change(alice.user, flags=None)

    assert "Not kept yet. The next touch brings them." in opened(alice.client).words


def test_it_says_that_nobody_has_checked_the_provider(alice):
    assert "Nobody has checked it" in opened(alice.client).words


# --- What is offered -------------------------------------------------------------------


def test_one_passkey_alone_gets_the_advice_and_the_button(alice):
    page = opened(alice.client)

    assert "One passkey is one way in. Add another on a second device." in page.words
    (form,) = adding_forms(page)
    assert form["data-passkey"] == "get"
    assert form["data-begin"] == reverse("step-up-begin")


def test_with_two_passkeys_there_is_a_button_and_no_advice(alice):
    make_credential(user=alice.user)

    page = opened(alice.client)

    assert "One passkey is one way in" not in page.words
    assert len(adding_forms(page)) == 1


def adding_forms(page: Page) -> list[dict[str, str]]:
    action = reverse("passkey-add")
    return [
        element
        for tag, element in page.elements
        if tag == "form" and element["action"] == action
    ]


def test_each_passkey_can_be_renamed_and_removed(alice):
    second = make_credential(user=alice.user)

    page = opened(alice.client)

    actions = [element["action"] for element in page.with_attribute("action")]
    for credential in (alice.user.credentials.order_by("pk").first(), second):
        assert reverse("passkey-rename", args=[credential.pk]) in actions
        assert reverse("onchain:passkey-remove", args=[credential.pk]) in hrefs(page)


def test_every_id_on_the_page_is_its_own(alice):
    for _number in range(3):
        make_credential(user=alice.user)

    page = opened(alice.client)

    ids = [element["id"] for element in page.with_attribute("id")]
    assert len(ids) == len(set(ids)) > 10


@pytest.mark.parametrize(
    "heading", ["Where you are signed in", "alerts", "Security events", "If this site"]
)
def test_every_section_is_there(heading, alice):
    html = opened(alice.client).html

    headings = " ".join(re.findall(r"<h2[^>]*>(.*?)</h2>", html, re.DOTALL))
    assert heading in headings


def test_a_change_is_told_to_the_provider_once(alice):
    credential = alice.user.credentials.get()
    url = reverse("passkey-rename", args=[credential.pk])
    alice.client.post(url, {"name": "Mine"})

    first, second = opened(alice.client), opened(alice.client)

    assert first.json["passkey-signals"]["accepted"] == [
        encode_base64url(credential.credential_id)
    ]
    assert "passkey-signals" not in second.json


# --- Whose page it is ------------------------------------------------------------------


def test_nothing_of_anybody_else_is_on_the_page(alice, bob):
    change(bob.user, name="Bob's phone")

    html = opened(alice.client).html

    assert "Bob" not in html
    assert bob.safe.address_text not in html
    assert bob.passkey.x.hex() not in html


def test_with_one_account_its_frame_stays_and_marks_the_page(alice):
    page = opened(alice.client)

    assert alice.url("send") in hrefs(page)
    current = [
        element.get("href")
        for element in page.with_attribute("aria-current")
        if element["aria-current"] == "page"
    ]
    assert PAGE in current


@pytest.mark.parametrize(
    ("method", "name", "status"),
    [
        ("get", "security-events", 200),
        ("get", "email-verify", 200),
        ("post", "email-link", 422),
        ("post", "email-confirm", 410),
        ("post", "passkey-rename", 422),
        ("post", "addition-finish", 400),
    ],
)
def test_the_frame_stays_around_each_page_of_a_passkey(method, name, status, alice):
    pk = alice.user.credentials.get().pk
    url = reverse(name, args=[pk] if name == "passkey-rename" else [])

    response = getattr(alice.client, method)(url)

    assert response.status_code == status
    assert response.context["safe"] == alice.safe
    assert Page(response).with_attribute("aria-current") != []


def test_a_page_that_anybody_may_open_has_no_frame_for_strangers(db):
    response = Client().get(reverse("email-verify"))

    assert response.status_code == 200
    assert "safe" not in response.context


def test_with_several_accounts_none_of_them_frames_the_page(alice):
    credential = make_credential(user=alice.user)
    safes.open_safe(user=alice.user, credential=credential, chain=make_chain())

    page = opened(alice.client)

    assert alice.url("send") not in hrefs(page)
    assert PAGE in hrefs(page)


def test_a_person_without_an_account_gets_the_page_and_a_true_home():
    credential = make_credential()
    client = browser_of(credential.user)

    page, home = opened(client), opened(client, "/")

    assert SIGNS_IN_ONLY in page.words
    assert reverse("onchain:passkey-accounts", args=[credential.pk]) not in hrefs(page)
    assert "none of your passkeys owns an account" in home.words
    assert PAGE in hrefs(home)


def test_an_operator_is_told_where_operators_keys_come_from():
    operator = make_operator()
    make_credential(user=operator)
    client = browser_of(operator)

    page, home = opened(client), opened(client, "/")

    assert adding_forms(page) == []
    assert "from a link that the terminal prints" in page.words
    assert not any("/remove/" in href for href in hrefs(page))
    assert "If this site goes away" not in page.words
    assert reverse("admin:index") in hrefs(page)
    assert "You are an operator" in home.words
    assert reverse("admin:index") in hrefs(home)


def test_a_person_whose_passkeys_are_gone_is_told_what_that_means():
    client = browser_of(make_credential(removed_at=timezone.now()).user)

    page = opened(client)

    assert "No passkey signs you in" in page.words
    assert adding_forms(page) == []


@pytest.mark.parametrize("name", ["settings", "safe-detail"])
def test_an_accounts_pages_lead_here(name, alice):
    assert PAGE in hrefs(opened(alice.client, alice.url(name)))


# --- From another device ---------------------------------------------------------------


@pytest.fixture
def here(alice: Wallet) -> Visitor:
    """A browser that alice's passkey, which is on her phone, has signed in."""
    return signed_in(alice.passkey, "cross-platform")


def signed_in(passkey: SoftAuthenticator, attachment: str) -> Visitor:
    visitor = Visitor()
    answer = passkey.get(visitor.begin("authentication"))
    answer["authenticatorAttachment"] = attachment
    response = visitor.finish("authentication", answer)
    assert response.status_code == 303
    return visitor


@pytest.mark.parametrize("path", ["/", PAGE])
def test_after_a_sign_in_from_another_device_this_one_is_offered(path, here):
    page = opened(here.client, path)

    assert ANOTHER_DEVICE in page.words
    buttons = re.findall(r"<button[^>]*>(.*?)</button>", page.html, re.DOTALL)
    assert any("Add this device" in button for button in buttons)
    assert adding_forms(page)


def test_with_several_accounts_home_offers_it_too(alice):
    credential = make_credential(user=alice.user)
    safes.open_safe(user=alice.user, credential=credential, chain=make_chain())
    visitor = signed_in(alice.passkey, "cross-platform")

    page = opened(visitor.client, "/")

    assert "Your accounts" in page.words
    assert ANOTHER_DEVICE in page.words


@pytest.mark.parametrize("path", ["/", PAGE])
def test_after_a_sign_in_with_this_devices_own_nothing_is_offered(path, alice):
    visitor = signed_in(alice.passkey, "platform")

    assert ANOTHER_DEVICE not in opened(visitor.client, path).words


@pytest.mark.parametrize("path", ["/", PAGE])
def test_another_session_from_another_device_says_nothing_here(path, alice, here):
    visitor = signed_in(alice.passkey, "platform")

    assert Session.objects.filter(is_cross_device=True).count() == 1
    assert ANOTHER_DEVICE not in opened(visitor.client, path).words


@pytest.mark.parametrize("path", ["/", PAGE])
def test_once_this_device_has_a_passkey_nothing_is_offered(path, alice, here):
    make_credential(user=alice.user)

    assert ANOTHER_DEVICE not in opened(here.client, path).words


def test_somebody_elses_new_passkey_changes_nothing(here):
    make_credential()

    assert ANOTHER_DEVICE in opened(here.client).words


# --- The file --------------------------------------------------------------------------


def test_the_export_is_a_file_that_nobody_keeps_on_the_way(alice):
    response = alice.client.get(reverse("passkeys-export"))

    today = f"{timezone.now():%Y-%m-%d}"
    assert response["Content-Disposition"] == (
        f'attachment; filename="latchkey-{today}.json"'
    )
    assert response["Content-Type"] == "application/json"
    assert "no-store" in response["Cache-Control"]
    content = json.loads(response.content)
    assert content["format"] == "latchkey-export"
    assert [each["address"] for each in content["accounts"]] == [
        alice.safe.address_text
    ]


def test_everybody_exports_their_own(alice, bob):
    text = bob.client.get(reverse("passkeys-export")).content.decode()

    assert bob.safe.address_text in text
    assert alice.safe.address_text not in text


def test_the_page_says_what_the_file_holds_and_what_it_cannot(alice):
    page = opened(alice.client)

    assert reverse("passkeys-export") in hrefs(page)
    assert "No private key is in it" in page.words


def test_where_the_domain_stands_it_says_what_if_the_site_goes_away(alice):
    """C-25"""
    page = opened(alice.client)

    at = page.words.index("If this site goes away")
    words = page.words[at:]
    assert f"your passkeys are bound to {settings.WEBAUTHN_RP_ID}" in words
    assert "Keep the export kit" in words
    assert "an owner or a guardian that no site’s name binds" in words
    assert "A second way in" in words
    assert f"{reverse('help')}#gone" in hrefs(page)


# --- What it costs ---------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 10])
def test_the_page_costs_the_same_however_many_passkeys_and_accounts(
    count, alice, django_assert_max_num_queries
):
    for number in range(1, count):
        flags = (BE | BS) * (number % 2)
        credential = make_credential(SoftAuthenticator(flags=flags), user=alice.user)
        safes.open_safe(user=alice.user, credential=credential, chain=make_chain())
        browser_of(alice.user)

    with django_assert_max_num_queries(MOST_QUERIES):
        response = alice.client.get(PAGE)

    assert response.content.decode().count("<article") == count
