"""The console: opened by a passkey, without passwords, and only for reading (R26)."""

from __future__ import annotations

import html
import uuid

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts.admin_site import PasskeyAdminSite
from accounts.models import Ceremony, Credential, Enrolment, User
from accounts.provider_kinds import ProviderKind, kind_of
from tests.accounts.visitor import Visitor, rows
from tests.factories import make_credential, make_operator, make_user
from tests.soft_authenticator import SoftAuthenticator

pytestmark = [pytest.mark.django_db, pytest.mark.services]

AAGUIDS = {
    ProviderKind.SOFTWARE: "bada5566-a7aa-401f-bd96-45619a55120d",  # 1Password
    ProviderKind.LISTED: "2fc0579f-8113-47ea-b116-bb5a8db9202a",  # YubiKey 5
    ProviderKind.UNLISTED: "01020304-0506-0708-0102-030405060708",
    ProviderKind.NOT_SAID: "00000000-0000-0000-0000-000000000000",
}
WORDS = {
    ProviderKind.SOFTWARE: "1Password’s, a password manager or a tool",
    ProviderKind.LISTED: "Nobody has checked that: any software can claim it.",
    ProviderKind.UNLISTED: "on no list that this site knows",
    ProviderKind.NOT_SAID: "all zeros",
}
MODELS = [User, Credential, Ceremony, Enrolment]


@pytest.fixture
def operator():
    """Return an operator's passkey."""
    passkey = SoftAuthenticator()
    make_credential(passkey, user=make_operator())
    return passkey


@pytest.fixture
def console(operator):
    """Return a visitor who is signed in as an operator."""
    visitor = Visitor()
    visitor.sign_in(operator)
    return visitor


def admin_url(model, page, *args):
    return reverse(f"admin:accounts_{model._meta.model_name}_{page}", args=args)


def test_the_site_is_ours():
    assert issubclass(admin.site.__class__, PasskeyAdminSite)


def test_the_login_page_offers_a_passkey_and_nothing_to_type(client):
    page = client.get(reverse("admin:login")).content.decode()

    assert "Sign in with passkey" in page
    assert 'type="password"' not in page
    assert 'name="username"' not in page


def test_the_console_sends_a_stranger_to_its_login_page_and_back(client):
    response = client.get("/admin/accounts/user/", follow=True)

    page = response.content.decode()
    assert response.redirect_chain[0][0].startswith(reverse("admin:login"))
    assert '<input type="hidden" name="next" value="/admin/accounts/user/">' in page


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example/", "x"])
def test_the_login_page_carries_no_foreign_target(target, client):
    page = client.get(reverse("admin:login"), {"next": target}).content.decode()

    assert "evil" not in page.split("<form")[1]
    assert 'value="/admin/"' in page


@pytest.mark.parametrize("path", ["password_change/", "password_change/done/"])
def test_password_pages_are_gone_for_everybody(path, client, console):
    for each in (client, console.client):
        for method in (each.get, each.post):
            assert method(f"/admin/{path}").status_code == 404


@pytest.mark.parametrize("path", ["login/", "logout/", "password_change/", ""])
def test_a_password_posted_anywhere_opens_nothing(path, client):
    user = make_operator()

    client.post(f"/admin/{path}", {"username": user.name, "password": "a"})

    assert client.get("/admin/").status_code == 302


def test_an_operator_signs_in_and_lands_in_the_console(operator, visitor):
    response = visitor.sign_in(operator)

    assert response["Location"] == reverse("admin:index")
    page = visitor.client.get(response["Location"])
    assert page.status_code == 200
    assert "password" not in page.content.decode().lower()


def test_an_operator_who_is_in_need_not_sign_in_again(console):
    response = console.client.get(reverse("admin:login"))

    assert response["Location"] == reverse("admin:index")


def test_a_person_does_not_get_in(visitor, alice):
    visitor.sign_in(alice[0])

    response = visitor.client.get("/admin/", follow=True)

    assert "not an operator" in response.content.decode()
    assert visitor.client.get("/admin/accounts/user/").status_code == 302


def test_leaving_takes_a_post(console):
    assert console.client.get(reverse("admin:logout")).status_code == 405
    assert console.user_pk() is not None

    response = console.client.post(reverse("admin:logout"))

    assert response["Location"] == reverse("admin:login")
    assert console.user_pk() is None


@pytest.fixture
def filled(console):
    """Return one row of each model."""
    credential = make_credential()
    enrolment = Enrolment.objects.create(
        token_hash=b"\x01" * 32,
        operator_name="ops",
        expires_at=credential.created_at,
    )
    console.begin("authentication")
    return {
        User: credential.user,
        Credential: credential,
        Ceremony: Ceremony.objects.get(),
        Enrolment: enrolment,
    }


@pytest.mark.parametrize("model", MODELS)
def test_an_operator_can_list_search_and_read(model, console, filled):
    listed = console.client.get(admin_url(model, "changelist"), {"q": "a"})
    read = console.client.get(admin_url(model, "change", filled[model].pk))

    assert listed.status_code == read.status_code == 200
    assert model._meta.app_label in admin_url(model, "changelist")
    site_admin = admin.site.get_model_admin(model)
    assert site_admin.search_fields
    assert site_admin.list_filter


@pytest.mark.parametrize("model", MODELS)
def test_an_operator_can_write_nothing(model, console, filled):
    pk = filled[model].pk
    before, ceremonies = rows(), Ceremony.objects.count()

    statuses = [
        console.client.post(admin_url(model, "add"), {"name": "x"}).status_code,
        console.client.post(
            admin_url(model, "change", pk), {"name": "x", "is_staff": "on"}
        ).status_code,
        console.client.post(
            admin_url(model, "delete", pk), {"post": "yes"}
        ).status_code,
    ]
    console.client.post(
        admin_url(model, "changelist"),
        {"action": "delete_selected", "_selected_action": [pk], "post": "yes"},
    )

    assert statuses == [403, 403, 403]
    assert rows() == before
    assert Ceremony.objects.count() == ceremonies


@pytest.mark.parametrize("model", MODELS)
def test_a_stranger_and_a_person_read_nothing(model, visitor, alice, filled):
    person = Visitor()
    person.sign_in(alice[0])

    for each in (visitor, person):
        url = admin_url(model, "change", filled[model].pk)
        assert each.client.get(url).status_code == 302


def test_open_challenges_and_tokens_are_not_shown(console, filled):
    for model in (Ceremony, Enrolment):
        row = filled[model]
        page = console.client.get(admin_url(model, "change", row.pk)).content.decode()
        secret = getattr(row, "challenge", None) or row.token_hash
        assert secret.hex() not in page
        assert "Session hash" not in page


def test_groups_are_not_there():
    assert not admin.site.is_registered(Group)


def test_a_person_and_an_operator_are_told_apart_in_the_list(console):
    person = make_user()

    page = console.client.get(
        admin_url(User, "changelist"), {"is_staff__exact": "0"}
    ).content.decode()

    assert person.name in page
    assert "operator " not in page.split("result_list")[1].split("</table>")[0]


def test_posts_in_the_console_need_their_csrf_token(operator):
    client = Client(enforce_csrf_checks=True)

    assert client.post(reverse("admin:logout")).status_code == 403


@pytest.mark.parametrize("name", ["createsuperuser", "changepassword"])
def test_the_password_commands_point_to_create_operator(name):
    with pytest.raises(CommandError, match="create_operator"):
        call_command(name)

    assert not User.objects.exists()


@pytest.mark.parametrize("kind", ProviderKind)
def test_passkeys_are_listed_by_what_their_provider_says(kind, console):
    """L-15: software is flagged in the list, by a filter, and on its own page."""
    for aaguid in AAGUIDS.values():
        make_credential(SoftAuthenticator(aaguid=uuid.UUID(aaguid).bytes))
    credential = Credential.objects.filter(aaguid=AAGUIDS[kind]).latest("pk")

    everything = console.client.get(admin_url(Credential, "changelist"))
    listed = console.client.get(admin_url(Credential, "changelist"), {"kind": kind})
    read = console.client.get(admin_url(Credential, "change", credential.pk))

    table = everything.content.decode().split("result_list")[1]
    assert all(each.label in table for each in ProviderKind)
    assert credential in listed.context["cl"].result_list
    assert {kind_of(row.aaguid) for row in listed.context["cl"].result_list} == {kind}
    for words in (kind.label, WORDS[kind]):
        assert words in html.unescape(read.content.decode())
