"""What an account's pages show to whom: nothing that one may not do."""

from __future__ import annotations

import pytest
from django.urls import reverse

from onchain.models import Role
from tests.wallets import Status, Wallet, join, make_operation, make_wallet, prove

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> Wallet:
    return make_wallet()


@pytest.mark.parametrize("name", ["safe-detail", "activity", "settings", "receive"])
@pytest.mark.parametrize("role", [Role.VIEWER, Role.APPROVER])
def test_no_page_leads_who_may_not_send_to_sending(role, name, alice):
    prove(alice)
    send = alice.url("send").encode()

    assert send in alice.get(name).content
    assert send not in join(alice, role).get(name).content


def test_a_viewer_reads_a_review_and_is_given_nothing_to_sign_or_withdraw(alice):
    op = make_operation(alice, Status.AWAITING_SIGNATURES)
    url = reverse("onchain:operation", args=[op.pk])

    seen = join(alice, Role.VIEWER).client.get(url)
    approved = join(alice, Role.APPROVER).client.get(url)

    assert "signing_request" not in seen.context
    assert "Authorize with passkey" not in seen.content.decode()
    assert "Authorize with passkey" in approved.content.decode()
    for response in (seen, approved):
        assert (
            reverse("onchain:withdraw", args=[op.pk]) not in response.content.decode()
        )


def test_a_viewer_sees_the_whole_address_once_an_owner_has_proven(alice):
    viewer = join(alice, Role.VIEWER)

    before = viewer.get("receive").content.decode()
    prove(alice)
    after = viewer.get("receive").content.decode()

    assert "data-copy" not in before
    assert "not proven yet" in before
    assert f'data-copy="{alice.safe.address_text}"' in after


def test_an_account_that_one_only_looks_at_takes_none_of_ones_passkeys(alice):
    viewer = join(alice, Role.VIEWER)
    passkey = viewer.user.credentials.get()

    page = viewer.client.get(reverse("onchain:passkey-accounts", args=[passkey.pk]))

    assert page.context["accounts"] == []
