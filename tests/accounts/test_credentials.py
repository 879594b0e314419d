"""R4, R5, R7, R8, R14, R34: another passkey for the same person, and names for them."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from accounts import provider_signals
from accounts.models import Ceremony, Credential, SecurityEvent, User
from tests.accounts.visitor import Visitor, registered, rows
from tests.factories import make_credential, make_operator
from tests.soft_authenticator import SoftAuthenticator, base64url
from tests.threads import all_at_once

pytestmark = [pytest.mark.django_db, pytest.mark.services]

HINTS = ("client-device", "hybrid", "security-key")


@pytest.fixture
def member(alice) -> Visitor:
    """Alice's browser, signed in."""
    return signed_in(alice[0])


def signed_in(passkey: SoftAuthenticator) -> Visitor:
    visitor = Visitor()
    assert visitor.sign_in(passkey).status_code == 303
    return visitor


def open_page(visitor, passkey):
    """Confirm with a touch; return the page on which a passkey is made."""
    options = visitor.begin("step-up", action="add-passkey")
    answer = json.dumps(passkey.get(options))
    return visitor.client.post(reverse("passkey-add"), {"credential": answer})


def options_in(page, hint="client-device"):
    """Return the creation options that a page brings for one of its choices."""
    pattern = rf'<script id="{hint}" type="application/json">(.*?)</script>'
    (text,) = re.findall(pattern, page.content.decode())
    return json.loads(text)


def add(visitor, passkey, **changes):
    """Walk a whole addition; return the new passkey and the last answer."""
    new = SoftAuthenticator()
    options = options_in(open_page(visitor, passkey))
    return new, visitor.finish("addition", new.create(options, **changes))


def expire():
    past = timezone.now() - timedelta(seconds=1)
    Ceremony.objects.filter(purpose="addition").update(expires_at=past)


# --- What the page asks for --------------------------------------------------------------


def test_the_page_asks_for_a_passkey_of_the_same_person(member, alice):
    passkey, user = alice
    removed = make_credential(user=user, removed_at=timezone.now())

    page = open_page(member, passkey)

    assert page.status_code == 200
    for hint in HINTS:
        options = options_in(page, hint)
        assert options["user"] == {
            "id": base64url(user.user_handle),
            "name": user.name,
            "displayName": user.name,
        }
        assert [each["id"] for each in options["excludeCredentials"]] == [
            base64url(passkey.credential_id),
            base64url(removed.credential_id),
        ]
        assert options["hints"] == [hint]
        assert options["pubKeyCredParams"] == [{"type": "public-key", "alg": -7}]
        assert options["authenticatorSelection"]["residentKey"] == "required"
        assert options["authenticatorSelection"]["userVerification"] == "required"
    ceremony = Ceremony.objects.get(purpose="addition")
    assert options["challenge"] == base64url(ceremony.challenge)
    assert (ceremony.user, len(ceremony.challenge)) == (user, 64)


@pytest.mark.parametrize(
    ("hint", "attachment", "label"),
    [
        ("client-device", "platform", "This device"),
        ("hybrid", "cross-platform", "Another phone (QR)"),
        ("security-key", "cross-platform", "Security key"),
    ],
)
def test_each_choice_says_in_words_and_options_where_it_lives(
    hint, attachment, label, member, alice
):
    page = open_page(member, alice[0])

    selection = options_in(page, hint)["authenticatorSelection"]
    assert selection["authenticatorAttachment"] == attachment
    assert label in page.content.decode()
    assert f'data-options="{hint}"' in page.content.decode()


def test_without_a_touch_there_is_no_page(member, alice):
    before = Ceremony.objects.count()

    response = member.client.post(reverse("passkey-add"), {"credential": "{}"})

    assert response.status_code == 400
    assert Ceremony.objects.count() == before


def test_reloading_the_page_needs_another_touch(member, alice):
    options = member.begin("step-up", action="add-passkey")
    fields = {"credential": json.dumps(alice[0].get(options))}
    assert member.client.post(reverse("passkey-add"), fields).status_code == 200

    again = member.client.post(reverse("passkey-add"), fields)

    assert again.status_code == 410
    assert f'href="{reverse("passkeys")}"' in again.content.decode()


# --- What a finished addition makes true -------------------------------------------------


def test_another_passkey_signs_in_the_same_person(member, alice):
    passkey, user = alice

    new, response = add(member, passkey)

    assert response.status_code == 303
    credential = Credential.objects.get(credential_id=new.credential_id)
    assert credential.user == user
    assert (credential.public_key_x, credential.public_key_y) == (new.x, new.y)
    assert User.objects.count() == 1
    assert signed_in(new).user_pk() == user.pk


def test_the_person_is_told_and_reads_that_it_cannot_pay_yet(member, alice):
    _new, response = add(member, alice[0])

    event = SecurityEvent.objects.get(kind=SecurityEvent.Kind.PASSKEY_ADDED)
    assert event.user == alice[1]
    (message,) = get_messages(response.wsgi_request)
    assert "signs in only and cannot pay" in str(message)


def test_the_session_stays_the_one_of_the_first_passkey(member, alice):
    before = member.client.session.session_key

    add(member, alice[0])

    assert member.client.session.session_key == before
    assert member.user_pk() == alice[1].pk


def test_a_cancelled_creation_stores_nothing_and_may_be_tried_again(member, alice):
    passkey, _ = alice
    page = open_page(member, passkey)
    before = rows()

    malformed = member.finish("addition", "{}")
    new = SoftAuthenticator()
    response = member.finish("addition", new.create(options_in(page, "hybrid")))

    assert malformed.status_code == 400
    assert len(before["Credential"]) == 1
    assert response.status_code == 303
    assert Credential.objects.count() == 2


# --- What it does not --------------------------------------------------------------------


def expired(member, passkey):
    options = options_in(open_page(member, passkey))
    expire()
    return member, SoftAuthenticator().create(options)


def used(member, passkey):
    options = options_in(open_page(member, passkey))
    failed = SoftAuthenticator().create(options, flags=0x41)
    assert member.finish("addition", failed).status_code == 403
    return member, SoftAuthenticator().create(options)


def in_another_session(member, passkey):
    options = options_in(open_page(member, passkey))
    return signed_in(passkey), SoftAuthenticator().create(options)


def of_another_person(member, passkey):
    stranger, _ = registered()
    options = options_in(open_page(signed_in(stranger), stranger))
    return member, SoftAuthenticator().create(options)


@pytest.mark.parametrize(
    "attempt", [expired, used, in_another_session, of_another_person]
)
def test_what_does_not_fit_adds_nothing(attempt, member, alice):
    visitor, answer = attempt(member, alice[0])
    before = rows()

    response = visitor.finish("addition", answer)

    assert response.status_code == 410
    assert "Start again." in response.content.decode()
    assert f'href="{reverse("passkeys")}"' in response.content.decode()
    assert rows() == before


@pytest.mark.parametrize(
    "changes",
    [
        {"flags": 0x41},  # nobody was verified
        {"origin": "https://elsewhere.example"},
        {"challenge": b"\1" * 64},
        {"ceremony": "webauthn.get"},
        {"cose_key": {1: 2, 3: -257, -1: 1, -2: b"\1" * 32, -3: b"\1" * 32}},
    ],
)
def test_a_broken_answer_adds_nothing(changes, member, alice):
    _new, response = add(member, alice[0], **changes)

    assert response.status_code in {400, 403, 410}
    assert Credential.objects.count() == 1
    assert not SecurityEvent.objects.filter(kind="passkey-added").exists()


def test_a_passkey_that_is_known_already_is_not_added_twice(member, alice, bob):
    options = options_in(open_page(member, alice[0]))
    twin = SoftAuthenticator(credential_id=bob[0].credential_id)

    response = member.finish("addition", twin.create(options))

    assert response.status_code == 403
    assert Credential.objects.count() == 2
    assert Credential.objects.filter(user=alice[1]).count() == 1


def test_a_registration_while_signed_in_still_makes_nobody(member, alice):
    options = options_in(open_page(member, alice[0]))

    begin = member.client.post(reverse("registration-begin"))
    finish = member.finish("registration", SoftAuthenticator().create(options))

    assert (begin.status_code, finish.status_code) == (409, 409)
    assert User.objects.count() == 1


def test_an_addition_cannot_be_finished_as_a_strangers_registration(member, alice):
    options = options_in(open_page(member, alice[0]))

    response = Visitor().finish("registration", SoftAuthenticator().create(options))

    assert response.status_code == 410
    assert User.objects.count() == 1


def test_an_operators_passkey_comes_from_the_terminal_alone():
    passkey = SoftAuthenticator()
    make_credential(passkey, user=make_operator())
    visitor = signed_in(passkey)

    page = open_page(visitor, passkey)
    finish = visitor.finish("addition", "{}")

    assert (page.status_code, finish.status_code) == (403, 403)
    assert "create_operator" in page.content.decode()
    assert not Ceremony.objects.filter(purpose="addition").exists()


@pytest.mark.parametrize("name", ["passkey-add", "addition-finish"])
def test_signed_out_a_button_leads_to_the_passkeys_page(name, visitor):
    response = visitor.client.post(reverse(name), {"credential": "{}"})

    assert response.status_code == 302
    assert response["Location"].endswith(f"?next={reverse('passkeys')}")


@pytest.mark.django_db(transaction=True)
def test_of_parallel_finishes_exactly_one_adds():
    passkey, _user = registered()
    member = signed_in(passkey)
    options = options_in(open_page(member, passkey))
    answers = [SoftAuthenticator().create(options) for _ in range(20)]
    cookies = member.client.cookies

    def once():
        visitor = Visitor()
        visitor.client.cookies = cookies
        return visitor.finish("addition", answers.pop()).status_code

    codes = all_at_once(20, once)

    assert sorted(codes) == [303] + [410] * 19
    assert Credential.objects.count() == 2


# --- Names -------------------------------------------------------------------------------


def rename(visitor, credential, name, **headers):
    url = reverse("passkey-rename", args=[credential.pk])
    return visitor.client.post(url, {"name": name}, headers=headers)


@pytest.fixture
def credential(alice) -> Credential:
    return Credential.objects.get(user=alice[1])


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Work laptop", "Work laptop"),
        ("  Work laptop \t", "Work laptop"),
        ("x", "x"),
        ("é" * 64, "é" * 64),
        ("<b>Ключ</b> ❤️", "<b>Ключ</b> ❤️"),
    ],
)
def test_a_passkey_gets_the_name_its_person_gives_it(typed, stored, member, credential):
    response = rename(member, credential, typed)

    assert response.status_code == 303
    assert response["Location"] == reverse("passkeys")
    credential.refresh_from_db()
    assert credential.name == stored


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "x" * 65,
        "a\0b",
        "a\nb",
        "\u202egnp.exe",
        "a\u200bb",
        "\ufeff",
        "a\u2066b",
    ],
)
@pytest.mark.parametrize("htmx", [True, False], ids=["htmx", "page"])
def test_a_name_that_cannot_be_read_is_refused_in_place(
    typed, htmx, member, credential
):
    headers = {"HX-Request": "true"} if htmx else {}

    response = rename(member, credential, typed, **headers)

    assert response.status_code == 422
    content = response.content.decode()
    assert f'id="passkey-name-{credential.pk}"' in content
    assert ('id="main"' in content) is not htmx
    assert 'role="alert"' in content
    credential.refresh_from_db()
    assert credential.name == ""


def test_what_was_typed_stays_and_is_escaped(member, credential):
    typed = '"><script>' + "x" * 60

    content = rename(member, credential, typed).content.decode()

    assert "<script>" not in content.split("<main")[1]
    assert f'value="{typed}"' in unescape(content)


def test_after_a_rename_htmx_goes_to_the_page(member, credential):
    response = rename(member, credential, "Phone", **{"HX-Request": "true"})

    assert response["HX-Redirect"] == reverse("passkeys")


def test_the_passkeys_of_somebody_else_have_no_names_to_give(bob, credential):
    response = rename(signed_in(bob[0]), credential, "Mine")

    assert response.status_code == 404
    credential.refresh_from_db()
    assert credential.name == ""


def test_a_removed_passkey_is_not_renamed(member, credential, alice):
    removed = make_credential(user=alice[1], removed_at=timezone.now())

    assert rename(member, removed, "Old").status_code == 404


# --- What the provider is told -----------------------------------------------------------


def test_after_a_rename_the_provider_is_told_once(member, credential):
    rename(member, credential, "Phone")
    session = member.client.session

    assert provider_signals.take(session) == []
    assert provider_signals.take(session) is None


def test_a_passkey_that_was_made_in_vain_is_told_as_unknown(member, alice):
    options = options_in(open_page(member, alice[0]))
    expire()
    late = SoftAuthenticator()
    assert member.finish("addition", late.create(options)).status_code == 410

    unknown = provider_signals.take(member.client.session)

    assert unknown == [base64url(late.credential_id)]


@pytest.mark.parametrize("text", ["", "{}", "[" * 5_000])
def test_what_names_no_passkey_is_not_told(text, member):
    assert member.finish("addition", text).status_code == 400

    assert provider_signals.take(member.client.session) is None


def test_a_passkey_that_is_known_is_never_told_as_unknown(member, alice, credential):
    options = options_in(open_page(member, alice[0]))
    twin = SoftAuthenticator(credential_id=credential.credential_id)
    assert member.finish("addition", twin.create(options)).status_code == 403
    assert provider_signals.take(member.client.session) is None

    session = member.client.session
    provider_signals.remember_change(session, unknown_id=credential.credential_id)

    assert provider_signals.take(session) == []


def test_the_provider_shows_the_name_of_the_passkey_in_the_hand(alice, credential):
    user = alice[1]

    def display_name(name):
        credential.name = name
        told = provider_signals.signals(
            user=user, unknown_ids=[], accepted=[credential], signed_in_with=credential
        )
        return told["displayName"]

    assert display_name("Phone") == "Phone"
    assert display_name("") == user.name


def test_the_provider_is_told_in_the_terms_it_knows(alice, credential):
    user = alice[1]

    told = provider_signals.signals(
        user=user, unknown_ids=["abc"], accepted=[credential], signed_in_with=None
    )

    assert told == {
        "rpId": "localhost",
        "userId": base64url(user.user_handle),
        "unknown": ["abc"],
        "accepted": [base64url(credential.credential_id)],
        "name": user.name,
        "displayName": user.name,
    }
