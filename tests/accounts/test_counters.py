"""R9: what a passkey's counter may do at a sign-in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import services
from accounts.models import Credential, SecurityEvent
from tests.accounts.visitor import Visitor, rows
from tests.soft_authenticator import DEVICE_BOUND, SYNCED, SoftAuthenticator

Kind = SecurityEvent.Kind

pytestmark = [pytest.mark.django_db, pytest.mark.services]


def counted(flags, sign_count):
    passkey = SoftAuthenticator(flags=flags, sign_count=sign_count)
    assert Visitor().register(passkey).status_code == 303
    return passkey


def told() -> list[str]:
    """Return what the person was told about the passkey, oldest first."""
    kinds = SecurityEvent.objects.exclude(kind=Kind.NEW_BROWSER).order_by("pk")
    return list(kinds.values_list("kind", flat=True))


def test_no_counter_at_all_is_normal(visitor):
    passkey = counted(DEVICE_BOUND, 0)

    assert visitor.sign_in(passkey, sign_count=0).status_code == 303
    assert told() == []


def test_a_growing_counter_is_stored(visitor):
    passkey = counted(DEVICE_BOUND, 5)

    assert visitor.sign_in(passkey, sign_count=6).status_code == 303
    assert Credential.objects.get().sign_count == 6
    assert told() == []


@pytest.mark.parametrize("later", [4, 0])
def test_a_counter_that_goes_back_on_one_device_is_refused_in_words(later, visitor):
    passkey = counted(DEVICE_BOUND, 5)
    before = rows()

    response = visitor.sign_in(passkey, sign_count=later)

    assert response.status_code == 403
    assert "use counter went back" in response.content.decode()
    assert rows() == before
    assert visitor.user_pk() is None
    assert told() == [Kind.COUNTER_WENT_BACK]
    assert f"from 5 to {later}" in SecurityEvent.objects.get().detail


def test_a_counter_that_goes_back_on_a_synced_key_only_warns(visitor, caplog):
    passkey = counted(SYNCED, 5)

    response = visitor.sign_in(passkey, sign_count=3)

    assert response.status_code == 303
    assert "went back" in caplog.text
    assert Credential.objects.get().sign_count == 3
    assert told() == [Kind.COUNTER_WENT_BACK]


def test_a_synced_key_whose_devices_count_apart_is_told_of_once_a_day(visitor):
    passkey = counted(SYNCED, 9)
    for sign_count in (3, 10, 4):
        visitor.sign_in(passkey, sign_count=sign_count)
        visitor.client.post("/sign-out")
    assert told() == [Kind.COUNTER_WENT_BACK]
    SecurityEvent.objects.update(created_at=timezone.now() - timedelta(hours=25))

    visitor.sign_in(passkey, sign_count=2)

    assert told() == [Kind.COUNTER_WENT_BACK] * 2


def test_a_copy_of_a_bound_key_is_told_of_each_time(visitor):
    passkey = counted(DEVICE_BOUND, 9)

    for sign_count in (3, 4):
        visitor.sign_in(passkey, sign_count=sign_count)

    assert told() == [Kind.COUNTER_WENT_BACK] * 2


def test_a_key_that_was_bound_and_is_synced_now_warns(visitor, caplog):
    passkey = counted(DEVICE_BOUND, 0)

    response = visitor.sign_in(passkey, flags=SYNCED)

    assert response.status_code == 303
    assert "changed backup eligibility" in caplog.text
    assert Credential.objects.get().backup_eligible is False
    assert told() == [Kind.ELIGIBILITY_CHANGED]


def test_a_changed_eligibility_is_told_once_and_again_when_it_changes_back(visitor):
    passkey = counted(DEVICE_BOUND, 0)

    for flags in (SYNCED, SYNCED, DEVICE_BOUND, SYNCED):
        assert visitor.sign_in(passkey, flags=flags).status_code == 303

    assert told() == [Kind.ELIGIBILITY_CHANGED] * 2


@pytest.mark.parametrize("flags", [DEVICE_BOUND, SYNCED])
def test_the_flags_of_the_last_answer_are_kept(flags, visitor):
    passkey = counted(flags, 0)
    assert Credential.objects.get().flags & ~0x40 == flags

    visitor.sign_in(passkey, flags=flags | 0x02)

    assert Credential.objects.get().flags == flags | 0x02


def test_a_wrong_signature_does_not_move_the_counter(visitor):
    passkey = counted(DEVICE_BOUND, 5)
    before = rows()

    visitor.sign_in(
        passkey, sign_count=9, signature=b"\x30\x06\x02\x01\x01\x02\x01\x01"
    )

    assert rows() == before


def test_recording_a_use_tells_of_an_older_counter_and_keeps_the_row(visitor):
    passkey = counted(DEVICE_BOUND, 5)
    credential = Credential.objects.select_related("user").get()
    before = rows()
    verified = services.webauthn.VerifiedAssertion(
        credential_id=passkey.credential_id,
        authenticator_data=b"",
        client_data_json=b"",
        signature=b"",
        flags=DEVICE_BOUND,
        sign_count=4,
        backup_eligible=False,
        backup_state=False,
        attachment="platform",
    )

    assert services.record_use(credential=credential, verified=verified) is False
    assert rows() == before
