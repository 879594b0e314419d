"""What a page costs: the same few queries, however long the history."""

from __future__ import annotations

import uuid

import pytest
from django.urls import reverse
from django.utils import timezone

from onchain.models import Safe
from onchain.protocol.types import Address
from onchain.services import account_lookups, safes
from tests.wallets import Status, make_history, make_operation, prove

pytestmark = pytest.mark.django_db

MOST_QUERIES = 11
MANY = 200
PAGES = {
    *("safe-detail", "activity", "settings", "send", "receive"),
    *("safe-overview", "safe-activity", "receive-card"),
}


@pytest.mark.parametrize("count", [1, MANY])
@pytest.mark.parametrize(
    "name",
    ["safe-detail", "safe-overview", "safe-activity", "activity", "receive-card"],
)
def test_an_account_page_costs_the_same_however_long_its_history(
    name, count, alice, django_assert_max_num_queries
):
    make_history(alice, count)
    prove(alice)
    url = alice.url(name)

    with django_assert_max_num_queries(MOST_QUERIES):
        assert alice.client.get(url).status_code == 200


@pytest.mark.parametrize("status", [Safe.Status.QUEUED, Safe.Status.BROADCAST])
@pytest.mark.parametrize("name", ["safe-detail", "safe-overview"])
def test_an_account_that_waits_costs_no_more(
    name, status, alice, django_assert_max_num_queries
):
    Safe.objects.update(status=status, deployment_requested_at=timezone.now())

    url = alice.url(name)

    with django_assert_max_num_queries(MOST_QUERIES):
        alice.client.get(url)


@pytest.mark.parametrize("count", [1, 20])
@pytest.mark.parametrize("name", ["account-new", "account-add"])
def test_the_pages_of_further_accounts_cost_the_same_however_many_there_are(
    name, count, alice, django_assert_max_num_queries
):
    own = {"user": alice.user, "chain": alice.safe.chain}
    for number in range(count - 1):
        safes.open_another(
            **own,
            credential=alice.safe.owners.get().credential,
            wanted=safes.NewAccount(name=f"Further {number}", key=uuid.uuid4()),
        )
        account_lookups.ask(**own, address=Address(number.to_bytes(20, "big")))

    with django_assert_max_num_queries(MOST_QUERIES):
        assert alice.client.get(reverse(f"onchain:{name}")).status_code == 200


@pytest.mark.parametrize("status", [Status.DRAFT, Status.SUBMITTED, Status.INCLUDED])
@pytest.mark.parametrize("name", ["operation", "operation-card"])
def test_an_operation_page_costs_no_more(
    name, status, alice, django_assert_max_num_queries
):
    make_history(alice, 20)
    op = make_operation(alice, status)
    url = reverse(f"onchain:{name}", args=[op.pk])

    with django_assert_max_num_queries(MOST_QUERIES):
        alice.client.get(url)
