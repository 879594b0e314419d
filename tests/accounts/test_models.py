"""What the database itself holds, and what a user is allowed."""

from __future__ import annotations

import secrets

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, transaction

from accounts.backends import PasskeyBackend
from accounts.models import Credential, User, generated_name
from tests.factories import make_credential, make_operator, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.services]

KEY_COLUMNS = {
    "credential_id": b"\x09" * 32,
    "public_key_x": b"\x09" * 32,
    "public_key_y": b"\x09" * 32,
}


@pytest.mark.parametrize("column", KEY_COLUMNS)
def test_a_key_column_never_changes(column):
    credential = make_credential()

    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        Credential.objects.filter(pk=credential.pk).update(
            **{column: KEY_COLUMNS[column]}
        )

    fresh = Credential.objects.get(pk=credential.pk)
    assert getattr(fresh, column) == getattr(credential, column)


def test_a_key_never_changes_hands():
    credential, other = make_credential(), make_user()

    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        Credential.objects.filter(pk=credential.pk).update(user=other)


def test_a_key_never_changes_by_a_statement_past_django():
    credential = make_credential()
    other = make_user()

    with (
        pytest.raises(IntegrityError, match="never changes"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "UPDATE accounts_credential SET user_id = %s WHERE id = %s",
            [other.pk, credential.pk],
        )


def test_a_key_never_changes_its_number():
    credential = make_credential()

    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        Credential.objects.filter(pk=credential.pk).update(id=credential.pk + 1_000)


def test_other_columns_of_a_key_do_change():
    credential = make_credential()

    changed = Credential.objects.filter(pk=credential.pk).update(
        sign_count=7, name="Phone", backup_state=True, user=credential.user
    )

    assert changed == 1


def test_a_credential_id_is_unique_over_everybody():
    credential = make_credential()

    with pytest.raises(IntegrityError), transaction.atomic():
        make_credential(credential_id=credential.credential_id)


def test_a_public_key_is_unique_over_everybody():
    credential = make_credential()

    with pytest.raises(IntegrityError), transaction.atomic():
        make_credential(
            public_key_x=credential.public_key_x, public_key_y=credential.public_key_y
        )


@pytest.mark.parametrize(
    "columns",
    [
        {"credential_id": b"\x01" * 15},
        {"public_key_x": b"\x01" * 31},
        {"public_key_y": b"\x01" * 33},
    ],
    ids=lambda columns: next(iter(columns)),
)
def test_bytes_of_another_width_are_not_stored(columns):
    with pytest.raises(IntegrityError), transaction.atomic():
        make_credential(**columns)


@pytest.mark.parametrize("width", [0, 32, 63])
def test_a_handle_of_another_width_is_not_stored(width):
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_person(user_handle=b"\x01" * width)


def test_bytes_come_back_as_bytes():
    credential = Credential.objects.get(pk=make_credential().pk)

    assert type(credential.credential_id) is bytes
    assert type(credential.public_key_x) is bytes
    assert type(credential.user.user_handle) is bytes


def test_there_is_no_password_anywhere():
    columns = {field.name for field in get_user_model()._meta.get_fields()}

    assert not {"password", "email", "is_superuser", "groups", "last_login"} & columns
    assert make_user().has_usable_password() is False


def test_a_name_follows_from_the_handle_and_shows_none_of_it():
    handle = secrets.token_bytes(64)
    name = generated_name(handle)

    assert generated_name(handle) == name
    assert name.startswith("Latchkey ")
    digits = name.removeprefix("Latchkey ").replace("-", "").lower()
    assert len(digits) == 8
    assert digits not in handle.hex()


def test_the_session_hash_follows_the_epoch_and_the_person():
    user, other = make_user(), make_user()
    before = user.get_session_auth_hash()

    user.session_epoch += 1

    assert user.get_session_auth_hash() != before
    assert other.get_session_auth_hash() != before


def test_a_session_outlives_a_rotated_secret_key(settings):
    user = make_user()
    before = user.get_session_auth_hash()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"

    assert user.get_session_auth_hash() != before
    assert list(user.get_session_auth_fallback_hash()) == [before]


@pytest.mark.parametrize("action", ["add", "change", "delete"])
def test_nobody_may_write_in_the_admin(action):
    for user in (make_user(), make_operator()):
        assert not user.has_perm(f"accounts.{action}_user")
        assert not user.has_perm(f"onchain.{action}_safe")


def test_only_operators_may_look():
    person, operator = make_user(), make_operator()
    gone = make_operator(is_active=False)

    assert operator.has_perm("onchain.view_safe")
    assert operator.has_perms(["onchain.view_safe", "accounts.view_user"])
    assert not operator.has_perms(["onchain.view_safe", "accounts.add_user"])
    assert operator.has_module_perms("accounts")
    for user in (person, gone):
        assert not user.has_perm("onchain.view_safe")
        assert not user.has_module_perms("accounts")


def test_the_backend_finds_active_users_and_authenticates_nobody():
    user, gone = make_user(), make_user(is_active=False)
    backend = PasskeyBackend()

    assert backend.get_user(user.pk) == user
    assert backend.get_user(gone.pk) is None
    assert backend.authenticate(None, username=user.name, password="") is None
