"""R62: an operator's link works once, for 15 minutes, and makes nobody else staff."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from accounts import enrolments
from accounts.models import Ceremony, Credential, Enrolment, User
from tests.accounts import hooks
from tests.accounts.test_ceremonies import at_once
from tests.accounts.visitor import Visitor, rows
from tests.factories import make_credential, make_operator
from tests.soft_authenticator import SoftAuthenticator

pytestmark = [pytest.mark.django_db, pytest.mark.services]


def print_link(*arguments):
    """Return what the command printed."""
    out = StringIO()
    call_command("create_operator", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue().strip()


def token_of(link):
    return urlsplit(link).fragment


def enrol(visitor, token, passkey=None, **changes):
    options = visitor.begin("enrolment", token=token)
    attestation = (passkey or SoftAuthenticator()).create(options, **changes)
    return visitor.finish("enrolment", attestation, token=token)


def test_the_link_leads_to_the_page_and_hides_its_token_from_the_server(settings):
    link = urlsplit(print_link("ops"))

    assert f"{link.scheme}://{link.netloc}" == settings.SITE_ORIGIN
    assert link.path == reverse("enrolment") == "/admin/enrol"
    assert link.query == ""
    assert len(link.fragment) >= 43  # 256 bits in base64url


def test_printing_stores_only_a_hash_and_makes_nobody():
    token = token_of(print_link("ops"))

    enrolment = Enrolment.objects.get()
    left = enrolment.expires_at - timezone.now()
    assert timedelta(minutes=14) < left <= timedelta(minutes=15)
    assert token.encode() not in enrolment.token_hash
    assert not User.objects.exists()


def test_looking_at_the_page_changes_nothing(client):
    print_link("ops")
    before = rows()

    for _ in range(2):
        response = client.get(reverse("enrolment"))

    assert response.status_code == 200
    assert response["Referrer-Policy"] == "no-referrer"
    assert "noindex" in response["X-Robots-Tag"]
    assert "no-store" in response["Cache-Control"]
    assert rows() == before
    assert not Ceremony.objects.exists()


def test_the_page_does_not_answer_a_post(client):
    assert client.post(reverse("enrolment")).status_code == 405


def test_a_link_makes_an_operator_with_a_key_and_no_wallet(visitor, passkey):
    token = token_of(print_link("ops"))

    response = enrol(visitor, token, passkey)

    operator = User.objects.get()
    assert response["Location"] == reverse("admin:index")
    assert (operator.name, operator.is_staff) == ("ops", True)
    assert operator.credentials.get().credential_id == passkey.credential_id
    assert visitor.user_pk() == operator.pk
    assert hooks.OPENED == []
    assert Visitor().sign_in(passkey)["Location"] == reverse("admin:index")


def test_the_passkey_carries_the_operators_name(visitor):
    options = visitor.begin("enrolment", token=token_of(print_link("ops")))

    assert options["user"]["name"] == "ops"


def test_a_link_works_once(visitor):
    token = token_of(print_link("ops"))
    enrol(visitor, token)
    before = rows()

    response = Visitor().client.post(reverse("enrolment-begin"), {"token": token})

    assert response.status_code == 410
    assert "does not work" in response.json()["error"]["message"]
    assert rows() == before


def test_a_failed_ceremony_leaves_the_link_usable(visitor):
    token = token_of(print_link("ops"))
    before = rows()

    assert enrol(visitor, token, rp_id="evil.example").status_code == 403

    assert rows() == before
    assert enrol(visitor, token).status_code == 303


def test_a_link_ends_after_15_minutes(visitor):
    token = token_of(print_link("ops"))
    options = visitor.begin("enrolment", token=token)
    Enrolment.objects.update(expires_at=Now() - timedelta(seconds=1))
    before = rows()

    begun = visitor.client.post(reverse("enrolment-begin"), {"token": token})
    finished = visitor.finish(
        "enrolment", SoftAuthenticator().create(options), token=token
    )

    assert begun.status_code == finished.status_code == 410
    assert rows() == before


def test_a_newer_link_ends_the_older(visitor):
    older = token_of(print_link("ops"))
    newer = token_of(print_link("ops"))

    response = visitor.client.post(reverse("enrolment-begin"), {"token": older})

    assert response.status_code == 410
    assert enrol(visitor, newer).status_code == 303


@pytest.mark.parametrize("token", ["", "a", "a" * 43, "é" * 43, "a" * 9_000, "a\0"])
def test_another_token_opens_nothing(token, visitor):
    print_link("ops")

    response = visitor.client.post(reverse("enrolment-begin"), {"token": token})

    assert response.status_code == 410
    assert not Ceremony.objects.exists()


def test_a_ceremony_of_one_link_does_not_spend_another(visitor):
    first, second = token_of(print_link("ops")), token_of(print_link("two"))
    options = visitor.begin("enrolment", token=first)
    before = rows()

    response = visitor.finish(
        "enrolment", SoftAuthenticator().create(options), token=second
    )

    assert response.status_code == 410
    assert rows() == before


def test_a_registration_does_not_pass_for_an_enrolment(visitor):
    token = token_of(print_link("ops"))
    options = visitor.begin("registration")
    before = rows()

    response = visitor.finish(
        "enrolment", SoftAuthenticator().create(options), token=token
    )

    assert response.status_code == 410
    assert rows() == before


def test_an_enrolment_does_not_pass_for_a_registration(visitor):
    token = token_of(print_link("ops"))
    options = visitor.begin("enrolment", token=token)

    response = visitor.finish("registration", SoftAuthenticator().create(options))

    assert response.status_code == 410
    assert not User.objects.exists()


def test_a_signed_in_person_cannot_enrol(visitor, alice):
    passkey, user = alice
    visitor.sign_in(passkey)
    token = token_of(print_link("ops"))
    before = rows()

    begun = visitor.client.post(reverse("enrolment-begin"), {"token": token})
    finished = visitor.finish("enrolment", "{}", token=token)

    assert begun.status_code == finished.status_code == 409
    assert rows() == before
    assert not User.objects.get(pk=user.pk).is_staff


def test_a_known_passkey_cannot_become_an_operators(visitor, alice):
    token = token_of(print_link("ops"))
    before = rows()

    response = enrol(visitor, token, alice[0])

    assert response.status_code == 403
    assert rows() == before


def test_an_operator_with_a_key_needs_replace(visitor):
    enrol(visitor, token_of(print_link("ops")))
    before = rows()

    with pytest.raises(CommandError, match="--replace"):
        print_link("ops")

    assert rows() == before


def test_replacing_ends_the_old_key_and_sessions_once_the_new_key_is_there(visitor):
    old, new = SoftAuthenticator(), SoftAuthenticator()
    enrol(visitor, token_of(print_link("ops")), old)
    operator = User.objects.get()
    token = token_of(print_link("ops", "--replace"))
    assert visitor.client.get("/admin/").status_code == 200
    assert Visitor().sign_in(old).status_code == 303

    response = enrol(Visitor(), token, new)

    assert response.status_code == 303
    assert User.objects.get().pk == operator.pk
    assert Credential.objects.get().credential_id == new.credential_id
    assert visitor.client.get("/admin/").status_code == 302
    assert Visitor().sign_in(old).status_code == 403
    assert Visitor().sign_in(new).status_code == 303


def test_a_failed_replacement_keeps_the_old_key(visitor):
    old = SoftAuthenticator()
    enrol(visitor, token_of(print_link("ops")), old)
    token = token_of(print_link("ops", "--replace"))
    before = rows()

    response = enrol(Visitor(), token, flags=0x41)

    assert response.status_code == 403
    assert rows() == before
    assert visitor.client.get("/admin/").status_code == 200
    assert Visitor().sign_in(old).status_code == 303


def test_a_link_printed_before_the_key_was_made_does_not_add_a_second(visitor):
    token = token_of(print_link("ops"))
    options = visitor.begin("enrolment", token=token)
    make_credential(user=make_operator(name="ops"))
    before = rows()

    response = visitor.finish(
        "enrolment", SoftAuthenticator().create(options), token=token
    )

    assert response.status_code == 410
    assert rows() == before


def test_a_person_cannot_become_staff(alice):
    with pytest.raises(CommandError, match="People cannot become operators"):
        print_link(alice[1].name)
    with pytest.raises(CommandError, match="People cannot become operators"):
        print_link(alice[1].name, "--replace")

    assert not Enrolment.objects.exists()


@pytest.mark.parametrize("name", ["", " ", "a" * 65, "a\nb", "a\x1b[2J"])
def test_an_unusable_name_is_refused(name):
    with pytest.raises(CommandError, match="1 to 64"):
        print_link(name)


def test_the_token_reaches_no_log(visitor, caplog, capfd):
    token = enrolments.issue(name="ops", replace=False)

    visitor.client.get(reverse("enrolment"))
    enrol(visitor, token)

    printed = capfd.readouterr()
    assert token not in caplog.text + printed.out + printed.err


@pytest.mark.django_db(transaction=True)
def test_of_many_finishes_of_one_link_at_once_exactly_one_wins():
    token = enrolments.issue(name="ops", replace=False)

    def ready():
        visitor, own = Visitor(), SoftAuthenticator()
        attestation = own.create(visitor.begin("enrolment", token=token))
        return lambda: visitor.finish("enrolment", attestation, token=token)

    statuses = at_once([ready() for _ in range(10)])

    assert statuses == [303] + [410] * 9
    assert User.objects.count() == Credential.objects.count() == 1
