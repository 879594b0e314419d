"""R14: what a person sees of their sessions, and ending them; R33 for everybody else."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Credential, SecurityEvent, Session, User
from tests.accounts.test_sessions import is_signed_in, row_of
from tests.accounts.visitor import Visitor
from tests.soft_authenticator import SoftAuthenticator
from tests.wallets import Wallet, make_wallet

pytestmark = [pytest.mark.django_db, pytest.mark.services]

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1"
)
SIGNED_OUT_EVERYWHERE = SecurityEvent.Kind.SIGNED_OUT_EVERYWHERE


def at(user_agent: str, passkey: SoftAuthenticator) -> Client:
    """Sign in at another browser."""
    visitor = Visitor(headers={"User-Agent": user_agent})
    assert visitor.sign_in(passkey).status_code == 303
    return visitor.client


@pytest.fixture
def wallet() -> Wallet:
    """Somebody with a passkey that answers, signed in with it at Firefox."""
    wallet = make_wallet()
    Session.objects.all().delete()
    wallet.client = at(FIREFOX, wallet.passkey)
    return wallet


def page(client: Client) -> str:
    response = client.get(reverse("passkeys"))
    assert response.status_code == 200
    return response.content.decode()


def end(client: Client, session: object):
    return client.post(reverse("session-end"), {"session": str(session)})


# --- What is listed --------------------------------------------------------------------


def test_the_list_names_browser_passkey_and_which_one_is_this(wallet):
    phone = at(SAFARI, wallet.passkey)
    Credential.objects.update(name="Blue key")

    (this, other) = wallet.client.get(reverse("passkeys")).context["places"]

    assert (this.session, this.is_this) == (row_of(wallet.client), True)
    assert (other.session, other.is_this) == (row_of(phone), False)
    assert this.session.browser == "Firefox on Linux"
    assert other.session.browser == "Safari on iPhone"
    assert this.passkey == other.passkey == "Blue key"
    html = page(wallet.client)
    assert html.count(">This browser<") == 1
    assert (
        f'aria-labelledby="end-{other.session.pk} session-{other.session.pk}"' in html
    )
    assert f"end-{this.session.pk}" not in html


def test_sessions_that_are_over_and_those_of_others_are_not_listed(wallet):
    now = timezone.now()
    at(SAFARI, make_wallet().passkey)
    idle, over = at(SAFARI, wallet.passkey), at(SAFARI, wallet.passkey)
    for client, column in ((idle, "last_seen_at"), (over, "expires_at")):
        rows = Session.objects.filter(pk=row_of(client).pk)
        rows.update(**{column: now - timedelta(hours=1)})

    (place,) = wallet.client.get(reverse("passkeys")).context["places"]

    assert place.is_this
    assert "Sign out all others" not in page(wallet.client)


def test_neither_key_nor_data_of_a_session_is_shown(wallet):
    phone = at(SAFARI, wallet.passkey)

    html = page(wallet.client)

    for client in (phone, wallet.client):
        assert client.cookies["sessionid"].value not in html
        assert row_of(client).key_hash.hex() not in html
        assert row_of(client).data not in html


# --- Ending one ------------------------------------------------------------------------


def test_another_session_is_ended_by_its_button(wallet):
    phone = at(SAFARI, wallet.passkey)

    response = end(wallet.client, row_of(phone).pk)

    assert response.status_code == 302
    assert response["Location"] == reverse("passkeys")
    assert not is_signed_in(phone)
    assert "That browser is signed out." in page(wallet.client)


def test_ending_ones_own_session_signs_out(wallet):
    response = end(wallet.client, row_of(wallet.client).pk)

    assert response["Location"] == reverse("home")
    assert not is_signed_in(wallet.client)


def test_a_session_of_somebody_else_is_not_found_and_goes_on(wallet):
    stranger = make_wallet()

    response = end(stranger.client, row_of(wallet.client).pk)

    assert response.status_code == 404
    assert is_signed_in(wallet.client)


def test_a_session_that_ended_while_the_button_stood_there_counts_as_ended(wallet):
    phone = at(SAFARI, wallet.passkey)
    named = row_of(phone).pk
    Session.objects.filter(pk=named).delete()

    for _ in range(2):
        assert end(wallet.client, named)["Location"] == reverse("passkeys")


@pytest.mark.parametrize("named", ["", "x", "0" * 5_000, "\0", "None"])
def test_what_names_no_session_is_not_found(named, wallet):
    assert end(wallet.client, named).status_code == 404


@pytest.mark.parametrize("name", ["session-end", "session-end-others"])
def test_signed_out_the_buttons_lead_to_signing_in_and_back_to_the_list(name, wallet):
    before = Session.objects.count()

    response = Client().post(reverse(name), {"session": str(uuid.uuid4())})

    assert response["Location"] == f"{reverse('home')}?next={reverse('passkeys')}"
    assert Session.objects.count() == before


@pytest.mark.parametrize(
    "name", ["session-end", "session-end-others", "session-extend"]
)
def test_nothing_ends_or_lasts_longer_without_a_csrf_token(name, wallet):
    client = Client(enforce_csrf_checks=True)
    client.cookies = wallet.client.cookies

    response = client.post(reverse(name), {"session": str(row_of(client).pk)})

    assert response.status_code == 403
    assert is_signed_in(client)


# --- Ending all others -----------------------------------------------------------------


def test_all_others_are_ended_and_this_one_goes_on(wallet):
    others = [at(SAFARI, wallet.passkey) for _ in range(2)]
    stranger = make_wallet()
    key = wallet.client.cookies["sessionid"].value

    response = wallet.client.post(reverse("session-end-others"))

    assert response["Location"] == reverse("passkeys")
    assert [is_signed_in(client) for client in others] == [False, False]
    assert is_signed_in(wallet.client)
    assert wallet.client.cookies["sessionid"].value == key
    assert is_signed_in(stranger.client)
    event = SecurityEvent.objects.get(kind=SIGNED_OUT_EVERYWHERE)
    assert (event.user, event.detail) == (wallet.user, "2 sessions")
    assert event.browser == "Firefox on Linux"


def test_with_no_other_session_nothing_happens_and_nothing_is_told(wallet):
    wallet.client.post(reverse("session-end-others"))

    assert "No other browser was signed in." in page(wallet.client)
    assert not SecurityEvent.objects.filter(kind=SIGNED_OUT_EVERYWHERE).exists()


def test_a_request_that_runs_in_an_ended_session_does_not_bring_it_back(wallet):
    phone = at(SAFARI, wallet.passkey)
    late = phone.session
    assert late["_auth_user_id"] == str(wallet.user.pk)

    wallet.client.post(reverse("session-end-others"))
    late.touch()

    assert not is_signed_in(phone)
    assert Session.objects.get() == row_of(wallet.client)


def test_ending_does_not_touch_the_epoch(wallet):
    at(SAFARI, wallet.passkey)

    wallet.client.post(reverse("session-end-others"))

    assert User.objects.get(pk=wallet.user.pk).session_epoch == 0
