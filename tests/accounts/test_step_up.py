"""R14, R4, R8, R9: a step-up confirms one action on one target, once."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.urls import get_resolver, reverse
from django.utils import timezone

from accounts.models import Ceremony, Credential, User
from accounts.step_up import SETTLING, Action
from tests.accounts.visitor import Visitor, registered, rows
from tests.factories import make_credential
from tests.soft_authenticator import DEVICE_BOUND, SoftAuthenticator, base64url
from tests.threads import all_at_once

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.services,
    pytest.mark.urls("tests.accounts.guarded"),
]


@pytest.fixture
def member(alice) -> Visitor:
    """Alice's browser, signed in."""
    return signed_in(alice[0])


def signed_in(passkey: SoftAuthenticator) -> Visitor:
    visitor = Visitor()
    assert visitor.sign_in(passkey).status_code == 303
    return visitor


def begin(visitor, action="add-passkey", target=""):
    return visitor.begin("step-up", action=action, target=target)


def post(visitor, answer, name="guarded-add", args=(), accept="", **fields):
    headers = {"Accept": accept} if accept else {}
    text = answer if isinstance(answer, str) else json.dumps(answer)
    data = {"credential": text, **fields}
    return visitor.client.post(reverse(name, args=args), data, headers=headers)


def second_passkey(user, age=timedelta(0)):
    """Return a passkey that was added later, so long ago."""
    passkey = SoftAuthenticator()
    credential = make_credential(passkey, user=user)
    added = timezone.now() - age
    Credential.objects.filter(pk=credential.pk).update(created_at=added)
    return passkey, credential


def expire():
    past = timezone.now() - timedelta(seconds=1)
    Ceremony.objects.filter(purpose="step-up").update(expires_at=past)


# --- Where it is asked -------------------------------------------------------------------


def test_what_changes_who_may_come_in_asks_for_a_touch():
    """A new action belongs in this table, and an old one cannot lose its guard."""
    views = {
        name: pattern.callback
        for resolver in get_resolver("wallet_site.urls").url_patterns
        for pattern in getattr(resolver, "url_patterns", [resolver])
        if (name := getattr(pattern, "name", None)) is not None
    }

    guarded = {
        name: view.step_up_action
        for name, view in views.items()
        if hasattr(view, "step_up_action")
    }

    assert guarded == {
        "passkey-add": Action.ADD_PASSKEY,
        "passkey-removal-finish": Action.REMOVE_PASSKEY,
        "email-change": Action.CHANGE_EMAIL,
        "email-remove": Action.CHANGE_EMAIL,
        "alert-contact-add": Action.CHANGE_WARNED,
        "alert-contact-remove": Action.CHANGE_WARNED,
    }


# --- What is asked -----------------------------------------------------------------------


def test_it_asks_the_persons_own_passkeys_with_64_bytes(member, alice):
    passkey, user = alice
    _other, credential = second_passkey(user)
    make_credential(user=user, removed_at=timezone.now())

    options = begin(member)

    assert [each["id"] for each in options["allowCredentials"]] == [
        base64url(passkey.credential_id),
        base64url(credential.credential_id),
    ]
    assert options["allowCredentials"][0]["transports"] == sorted(passkey.transports)
    assert options["userVerification"] == "required"
    ceremony = Ceremony.objects.get(purpose="step-up")
    assert options["challenge"] == base64url(ceremony.challenge)
    assert len(ceremony.challenge) == 64
    assert (ceremony.user, ceremony.action) == (user, "add-passkey")


@pytest.mark.parametrize(
    ("known", "attachment", "asked"),
    [
        (["internal"], "cross-platform", ["hybrid", "internal"]),
        (["internal"], "platform", ["internal"]),
        (["usb"], "cross-platform", ["usb"]),
        ([], "cross-platform", []),
    ],
)
def test_a_passkey_that_signed_in_by_qr_code_is_asked_by_qr_code_too(
    known, attachment, asked, visitor, alice
):
    passkey, user = alice
    user.credentials.update(transports=known)
    answer = passkey.get(visitor.begin("authentication"))
    visitor.finish("authentication", answer | {"authenticatorAttachment": attachment})

    options = visitor.begin("step-up", action="add-passkey")

    assert options["allowCredentials"][0]["transports"] == asked


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"action": "send-money"},
        {"action": "ADD-PASSKEY"},
        {"action": "remove-passkey", "target": "7" * 255},
        {"action": "remove-passkey", "target": "7\0"},
    ],
)
def test_what_is_not_in_the_list_of_actions_is_not_begun(fields, member):
    response = member.client.post(reverse("step-up-begin"), fields)

    assert response.status_code == 400
    assert response.json()["error"]["code"] == "malformed"
    assert not Ceremony.objects.filter(purpose="step-up").exists()


def test_signed_out_it_says_so_to_the_page_that_is_still_open(visitor):
    response = visitor.client.post(reverse("step-up-begin"), {"action": "add-passkey"})

    assert response.status_code == 401
    assert response.json()["error"]["code"] == "signed-out"
    assert not Ceremony.objects.exists()


def test_without_a_passkey_left_nothing_is_asked(member, alice):
    Credential.objects.update(removed_at=timezone.now())

    response = member.client.post(reverse("step-up-begin"), {"action": "add-passkey"})

    assert response.status_code == 403
    assert response.json()["error"]["code"] == "no-passkey"


@pytest.mark.parametrize("action", Action)
def test_every_action_has_words(action):
    assert action.label != action.value


# --- What is confirmed -------------------------------------------------------------------


def test_a_touch_confirms_and_the_view_knows_with_what(member, alice):
    passkey, user = alice
    other, credential = second_passkey(user)
    assert passkey.credential_id != other.credential_id

    response = post(member, other.get(begin(member)))

    assert response.status_code == 200
    assert response.content == str(credential.pk).encode()
    credential.refresh_from_db()
    assert credential.last_used_at is not None


def test_a_target_stands_in_the_url_or_in_a_field(member, alice):
    passkey, _ = alice

    removal = post(
        member,
        passkey.get(begin(member, "remove-passkey", "7")),
        "guarded-remove",
        args=[7],
    )
    change = post(
        member,
        passkey.get(begin(member, "change-email", "a@example.org")),
        "guarded-change",
        email="a@example.org",
    )

    assert (removal.status_code, change.status_code) == (200, 200)


def test_a_touch_confirms_once(member, alice):
    passkey, _ = alice
    answer = passkey.get(begin(member))
    assert post(member, answer).status_code == 200

    assert post(member, answer).status_code == 410


def test_a_failed_touch_is_spent_too(member, alice):
    passkey, _ = alice
    options = begin(member)
    wrong = SoftAuthenticator().assert_challenge(b"\1" * 64).signature

    failed = post(member, passkey.get(options, signature=wrong))

    assert failed.status_code == 403
    assert post(member, passkey.get(options)).status_code == 410


# --- What is not: the same words for each ------------------------------------------------


def with_another_action(member, passkey):
    return post(member, passkey.get(begin(member, "remove-passkey")))


def with_another_target(member, passkey):
    answer = passkey.get(begin(member, "remove-passkey", "8"))
    return post(member, answer, "guarded-remove", args=[7])


def with_another_field(member, passkey):
    answer = passkey.get(begin(member, "change-email", "a@example.org"))
    return post(member, answer, "guarded-change", email="b@example.org")


def without_the_field(member, passkey):
    answer = passkey.get(begin(member, "change-email", "a@example.org"))
    return post(member, answer, "guarded-change")


def with_a_sign_in(member, passkey):
    return post(member, passkey.get(member.begin("authentication")))


def in_another_session(member, passkey):
    return post(signed_in(passkey), passkey.get(begin(member)))


def of_another_person(member, passkey):
    stranger, _ = registered()
    return post(member, stranger.get(begin(signed_in(stranger))))


def expired(member, passkey):
    options = begin(member)
    expire()
    return post(member, passkey.get(options))


def used(member, passkey):
    answer = passkey.get(begin(member))
    assert post(member, answer).status_code == 200
    return post(member, answer)


REFUSED = [
    with_another_action,
    with_another_target,
    with_another_field,
    without_the_field,
    with_a_sign_in,
    in_another_session,
    of_another_person,
    expired,
    used,
]


@pytest.mark.parametrize("attempt", REFUSED)
def test_what_does_not_fit_is_refused_in_the_same_words(attempt, member, alice):
    response = attempt(member, alice[0])

    assert response.status_code == 410
    assert "This step has expired or was already used." in response.content.decode()


def test_a_step_up_signs_nobody_in(member, alice):
    passkey, _ = alice
    answer = passkey.get(begin(member))

    response = member.finish("authentication", answer)

    assert response.status_code == 410


def test_a_passkey_of_somebody_else_confirms_nothing(member, bob):
    before = rows()

    response = post(member, bob[0].get(begin(member)))

    assert response.status_code == 403
    assert rows() == before


def test_a_removed_passkey_confirms_nothing(member, alice):
    other, credential = second_passkey(alice[1])
    options = begin(member)
    Credential.objects.filter(pk=credential.pk).update(removed_at=timezone.now())

    assert post(member, other.get(options)).status_code == 403


def test_a_signature_of_another_key_under_the_persons_id_is_refused(member, alice):
    passkey, user = alice
    forged = SoftAuthenticator(credential_id=passkey.credential_id)
    forged.user_handle = user.user_handle
    before = rows()

    assert post(member, forged.get(begin(member))).status_code == 403
    assert rows() == before


def test_an_answer_without_user_verification_is_refused(member, alice):
    passkey, _ = alice

    response = post(member, passkey.get(begin(member), flags=0x01))

    assert response.status_code == 403
    assert "did not report" in response.content.decode()


def test_a_counter_that_went_back_on_one_device_confirms_nothing(visitor):
    passkey = SoftAuthenticator(flags=DEVICE_BOUND, sign_count=5)
    assert visitor.register(passkey).status_code == 303
    before = rows()

    response = post(visitor, passkey.get(begin(visitor), sign_count=4))

    assert response.status_code == 403
    assert "use counter went back" in response.content.decode()
    assert "You were not signed in" not in response.content.decode()
    assert rows() == before


@pytest.mark.parametrize("text", ["", "{}", "[]", "x" * 40_000])
def test_what_is_no_answer_is_refused(text, member):
    assert post(member, text).status_code == 400


# --- Only passkeys that settled ----------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "status"),
    [
        (timedelta(0), 403),
        (SETTLING - timedelta(minutes=1), 403),
        (SETTLING + timedelta(minutes=1), 200),
    ],
)
def test_a_passkey_added_lately_waits_72_hours(age, status, member, alice):
    other, credential = second_passkey(alice[1], age)
    options = begin(member, "change-email", "a@example.org")

    response = post(member, other.get(options), "guarded-change", email="a@example.org")

    assert response.status_code == status
    credential.refresh_from_db()
    may = credential.created_at + SETTLING
    said = f"after {may:%-d} {may:%B}, {may:%H:%M} UTC"
    assert (said in response.content.decode()) is (status == 403)


def test_the_first_passkey_need_not_wait(member, alice):
    second_passkey(alice[1])
    answer = alice[0].get(begin(member, "change-email", "a@example.org"))

    response = post(member, answer, "guarded-change", email="a@example.org")

    assert response.status_code == 200


def test_a_passkey_added_lately_confirms_what_does_not_ask_for_more(member, alice):
    other, _ = second_passkey(alice[1])

    assert post(member, other.get(begin(member))).status_code == 200


# --- How it answers ----------------------------------------------------------------------


def test_a_refusal_is_json_where_that_is_asked_for(member, alice):
    response = post(member, "{}", accept="application/json")

    assert response.status_code == 400
    assert response.json()["error"]["code"] == "malformed"


def test_a_refusal_to_htmx_is_the_page(member):
    response = member.client.post(
        reverse("guarded-add"), {"credential": "{}"}, headers={"HX-Request": "true"}
    )

    assert response.status_code == 400
    assert 'id="main"' in response.content.decode()


def test_signed_out_the_view_leads_home(visitor):
    response = post(visitor, "{}")

    assert response.status_code == 302
    assert response["Location"].startswith(reverse("home"))


def test_another_method_is_refused_before_any_touch(member):
    assert member.client.get(reverse("guarded-add")).status_code == 405


# --- At once -----------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_50_parallel_posts_exactly_one_is_confirmed():
    passkey, _user = registered()
    member = signed_in(passkey)
    answer = passkey.get(begin(member))
    cookies = member.client.cookies

    def once():
        visitor = Visitor()
        visitor.client.cookies = cookies
        return post(visitor, answer).status_code

    codes = all_at_once(50, once)

    assert sorted(codes) == [200] + [410] * 49
    assert User.objects.count() == 1
