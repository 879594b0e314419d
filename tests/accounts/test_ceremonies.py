"""R4, R55: a challenge holds once, for one purpose, session and person, five minutes."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from accounts import ceremonies, enrolments
from accounts.models import Ceremony, Credential, User
from tests.accounts import hooks
from tests.accounts.visitor import Visitor, everything, registered, rows
from tests.soft_authenticator import SoftAuthenticator, base64url, from_base64url

pytestmark = [pytest.mark.django_db, pytest.mark.services]

THREADS = 50


def test_challenges_have_64_fresh_bytes(visitor):
    texts = [visitor.begin("registration")["challenge"] for _ in range(3)]
    texts += [visitor.begin("authentication")["challenge"] for _ in range(3)]

    assert {len(from_base64url(text)) for text in texts} == {64}
    assert len(set(texts)) == 6


def test_user_handles_are_random_and_say_nothing(visitor):
    users = [visitor.begin("registration")["user"] for _ in range(3)]

    assert {len(from_base64url(user["id"])) for user in users} == {64}
    assert len({user["id"] for user in users}) == 3
    assert len({user["name"] for user in users}) == 3
    assert all(user["name"] == user["displayName"] for user in users)


def test_a_person_gets_the_handle_and_name_of_the_options(visitor, passkey):
    options = visitor.begin("registration")

    visitor.finish("registration", passkey.create(options))

    user = User.objects.get()
    assert user.user_handle == from_base64url(options["user"]["id"])
    assert user.name == options["user"]["name"]


def test_an_assertion_counts_once(visitor, alice):
    passkey, user = alice
    assertion = passkey.get(visitor.begin("authentication"))
    visitor.finish("authentication", assertion)
    visitor.client.post("/sign-out")
    before = rows()

    response = visitor.finish("authentication", assertion)

    assert response.status_code == 410
    assert rows() == before
    assert visitor.user_pk() is None


def test_a_registration_counts_once(visitor, passkey):
    attestation = passkey.create(visitor.begin("registration"))
    visitor.finish("registration", attestation)
    visitor.client.post("/sign-out")
    Credential.objects.all().delete()
    User.objects.all().delete()

    response = visitor.finish("registration", attestation)

    assert response.status_code == 410
    assert not User.objects.exists()


def test_a_challenge_is_spent_by_a_failed_answer_too(visitor, alice):
    passkey, _ = alice
    options = visitor.begin("authentication")
    visitor.finish("authentication", passkey.get(options, rp_id="evil.example"))

    response = visitor.finish("authentication", passkey.get(options))

    assert response.status_code == 410
    assert visitor.user_pk() is None


def test_a_registration_challenge_does_not_sign_in(visitor, alice):
    passkey, _ = alice
    options = visitor.begin("registration")
    before = rows()

    response = visitor.finish("authentication", passkey.get(options))

    assert response.status_code == 410
    assert rows() == before
    assert Ceremony.objects.count() == 1


def test_a_sign_in_challenge_does_not_register(visitor, passkey):
    options = visitor.begin("authentication")
    user = {"id": "AAAA", "name": "a", "displayName": "a"}

    response = visitor.finish("registration", passkey.create(options | {"user": user}))

    assert response.status_code == 410
    assert not User.objects.exists()


class Table:
    """A browser in which every ceremony can be begun and finished."""

    def __init__(self, passkey, user, *, is_signed_in):
        self.passkey, self.user, self.visitor = passkey, user, Visitor()
        self.token = enrolments.issue(name="operator", replace=False)
        if is_signed_in:
            self.visitor.sign_in(passkey)

    def begin(self, ceremony):
        if ceremony == "addition":
            return self.visitor.begin_addition(self.passkey)
        fields = {
            "enrolment": {"token": self.token},
            "step-up": {"action": "add-passkey"},
        }
        return self.visitor.begin(ceremony, **fields.get(ceremony, {}))

    def finish(self, ceremony, options):
        """Answer a challenge as this ceremony wants it answered."""
        handle = {"id": base64url(self.user.user_handle), "name": "a"}
        if ceremony in ("authentication", "step-up"):
            answer = self.passkey.get(options)
        else:
            answer = SoftAuthenticator().create({"user": handle} | options)
        if ceremony == "step-up":
            fields = {"credential": json.dumps(answer)}
            return self.visitor.client.post(reverse("passkey-add"), fields)
        return self.visitor.finish(ceremony, answer, token=self.token)


AS_A_STRANGER = ("registration", "authentication", "enrolment")
AS_A_PERSON = ("authentication", "step-up", "addition")


@pytest.mark.parametrize(
    ("begun", "finished", "is_signed_in"),
    [
        pytest.param(begun, finished, person, id=f"{begun}-to-{finished}-{person}")
        for person, names in ((False, AS_A_STRANGER), (True, AS_A_PERSON))
        for begun in names
        for finished in names
        if begun != finished
    ],
)
def test_a_challenge_of_one_ceremony_counts_in_no_other(
    begun, finished, is_signed_in, alice
):
    table = Table(*alice, is_signed_in=is_signed_in)
    options = table.begin(begun)
    before = everything()

    response = table.finish(finished, options)

    assert response.status_code == 410
    assert everything() == before
    assert table.finish(begun, options).status_code in (200, 303)


@pytest.mark.parametrize("ceremony", AS_A_PERSON)
def test_a_persons_challenge_counts_for_nobody_else_and_once(ceremony, alice, bob):
    table, other = (Table(*each, is_signed_in=True) for each in (alice, bob))
    options = table.begin(ceremony)
    before = everything()

    assert other.finish(ceremony, options).status_code in (403, 410)

    assert everything() == before
    assert table.finish(ceremony, options).status_code in (200, 303)
    assert table.finish(ceremony, options).status_code in (403, 410)


@pytest.mark.parametrize("hint", ["client-device", "hybrid", "security-key"])
def test_a_hint_is_in_the_options_of_both_ceremonies(hint, visitor):
    attachment = "platform" if hint == "client-device" else "cross-platform"

    creation = visitor.begin("registration", hint=hint)
    request = visitor.begin("authentication", hint=hint)

    assert creation["hints"] == request["hints"] == [hint]
    selection = creation["authenticatorSelection"]
    assert selection["authenticatorAttachment"] == attachment
    assert selection["residentKey"] == selection["userVerification"] == "required"
    assert "authenticatorSelection" not in request


@pytest.mark.parametrize("hint", ["", "telepathy", "client-device,hybrid", "\0"])
def test_an_unknown_hint_says_nothing(hint, visitor):
    creation = visitor.begin("registration", hint=hint)
    request = visitor.begin("authentication", hint=hint)

    assert creation["hints"] == request["hints"] == []
    assert "authenticatorAttachment" not in creation["authenticatorSelection"]


def test_whatever_a_hint_said_any_passkey_may_answer(visitor, alice):
    passkey, user = alice
    options = visitor.begin("authentication", hint="security-key")

    assert visitor.finish("authentication", passkey.get(options)).status_code == 303


def test_the_options_say_how_long_the_challenge_lives(visitor, settings):
    for ceremony in ("registration", "authentication"):
        options = visitor.begin(ceremony)
        assert options["timeout"] == settings.CEREMONY_SECONDS * 1000


@pytest.mark.parametrize("ceremony", ["registration", "authentication"])
def test_a_challenge_of_another_session_is_refused(ceremony, visitor, alice):
    passkey, _ = alice
    other = Visitor()
    other.begin(ceremony)
    options = visitor.begin(ceremony)
    before = rows()
    answer = (
        SoftAuthenticator().create(options)
        if ceremony == "registration"
        else passkey.get(options)
    )

    response = other.finish(ceremony, answer)

    assert response.status_code == 410
    assert rows() == before
    assert other.user_pk() is None
    assert visitor.finish(ceremony, answer).status_code == 303


def test_an_answer_without_a_session_is_refused(visitor, alice):
    passkey, _ = alice
    assertion = passkey.get(visitor.begin("authentication"))

    response = Visitor().finish("authentication", assertion)

    assert response.status_code == 410


def test_a_challenge_begun_as_a_stranger_does_not_count_once_signed_in(visitor, alice):
    passkey, user = alice
    early = passkey.get(visitor.begin("authentication"))
    visitor.sign_in(passkey)
    before = rows()

    response = visitor.finish("authentication", early)

    assert response.status_code == 410
    assert rows() == before


def test_a_challenge_of_one_person_does_not_count_for_another(visitor, alice, bob):
    alices, user = alice
    visitor.sign_in(alices)
    options = visitor.begin("authentication")
    Ceremony.objects.update(user=bob[1])

    response = visitor.finish("authentication", alices.get(options))

    assert response.status_code == 410
    assert visitor.user_pk() == user.pk


@pytest.mark.parametrize(
    ("age", "status"), [(299, 303), (301, 410)], ids=["in-time", "too-late"]
)
def test_a_challenge_lives_five_minutes_by_the_clock_of_the_database(
    age, status, visitor, alice
):
    passkey, _ = alice
    options = visitor.begin("authentication")
    left = Ceremony.objects.get().expires_at - timezone.now()
    assert timedelta(seconds=298) < left <= timedelta(seconds=300)
    Ceremony.objects.update(expires_at=Now() + timedelta(seconds=300 - age))

    response = visitor.finish("authentication", passkey.get(options))

    assert response.status_code == status


def test_a_sweep_takes_the_expired_and_only_them(visitor):
    for _ in range(3):
        visitor.begin("authentication")
    old = Ceremony.objects.first()
    Ceremony.objects.filter(pk=old.pk).update(expires_at=Now() - timedelta(seconds=1))

    assert ceremonies.sweep_expired() == 1
    assert ceremonies.sweep_expired() == 0
    assert Ceremony.objects.count() == 2


def test_two_tabs_of_one_session_can_both_be_open(visitor, alice):
    passkey, user = alice
    first, second = (visitor.begin("authentication") for _ in range(2))

    visitor.finish("authentication", passkey.get(second))
    visitor.client.post("/sign-out")

    assert visitor.finish("authentication", passkey.get(first)).status_code == 410
    assert visitor.sign_in(passkey).status_code == 303


def test_signing_in_gives_a_new_session_and_ends_the_old(visitor, alice):
    passkey, user = alice
    visitor.begin("authentication")
    before = visitor.client.session.session_key

    visitor.sign_in(passkey)

    assert visitor.client.session.session_key != before
    stale = Visitor()
    stale.client.cookies["sessionid"] = before
    assert stale.user_pk() is None


def test_registering_gives_a_new_session(visitor, passkey):
    visitor.begin("registration")
    before = visitor.client.session.session_key

    visitor.register(passkey)

    assert visitor.client.session.session_key != before


def test_registering_while_signed_in_is_a_conflict(visitor, alice):
    passkey, user = alice
    options = visitor.begin("registration")
    visitor.sign_in(passkey)
    before = rows()

    begun = visitor.client.post("/passkeys/registration/begin")
    finished = visitor.finish("registration", SoftAuthenticator().create(options))

    assert begun.status_code == finished.status_code == 409
    assert "signed in already" in begun.json()["error"]["message"]
    assert "signed in already" in finished.content.decode()
    assert rows() == before
    assert visitor.user_pk() == user.pk


def test_a_wallet_that_cannot_be_opened_leaves_no_person(visitor, passkey, settings):
    settings.REGISTRATION_HOOK = "tests.accounts.hooks.fail"
    options = visitor.begin("registration")

    with pytest.raises(RuntimeError):
        visitor.finish("registration", passkey.create(options))

    assert not User.objects.exists()
    assert not Credential.objects.exists()
    assert visitor.user_pk() is None


def at_once(finishes):
    """Run all of them at the same moment, each in a thread of its own."""
    barrier = Barrier(len(finishes))

    def run(finish):
        barrier.wait()
        try:
            return finish().status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(finishes)) as pool:
        return sorted(pool.map(run, finishes))


def twin_of(visitor):
    """Return the same browser once more, with a cookie jar of its own."""
    twin = Visitor()
    twin.client.cookies.load(visitor.client.cookies.output(header="", sep=";"))
    return twin


@pytest.mark.django_db(transaction=True)
def test_of_many_equal_sign_ins_at_once_exactly_one_wins(visitor):
    passkey, _ = registered()
    assertion = passkey.get(visitor.begin("authentication"))
    twins = [twin_of(visitor) for _ in range(THREADS)]

    statuses = at_once(
        [partial(twin.finish, "authentication", assertion) for twin in twins]
    )

    assert statuses == [303] + [410] * (THREADS - 1)


@pytest.mark.django_db(transaction=True)
def test_of_many_equal_registrations_at_once_exactly_one_wins(visitor, passkey):
    attestation = passkey.create(visitor.begin("registration"))
    twins = [twin_of(visitor) for _ in range(THREADS)]

    statuses = at_once(
        [partial(twin.finish, "registration", attestation) for twin in twins]
    )

    assert statuses == [303] + [410] * (THREADS - 1)
    assert User.objects.count() == Credential.objects.count() == 1
    assert len(hooks.OPENED) == 1


@pytest.mark.django_db(transaction=True)
def test_one_key_registered_by_many_at_once_belongs_to_one(passkey):
    def ready():
        visitor = Visitor()
        attestation = passkey.create(visitor.begin("registration"))
        return lambda: visitor.finish("registration", attestation)

    statuses = at_once([ready() for _ in range(THREADS)])

    assert statuses == [303] + [403] * (THREADS - 1)
    assert User.objects.count() == Credential.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_people_register_at_once(passkey):
    def ready():
        visitor, own = Visitor(), SoftAuthenticator()
        attestation = own.create(visitor.begin("registration"))
        return lambda: visitor.finish("registration", attestation)

    statuses = at_once([ready() for _ in range(THREADS)])

    assert statuses == [303] * THREADS
    assert User.objects.count() == THREADS
