"""What a page costs: the same few queries, however long the history."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from onchain.models import Safe
from tests.wallets import Status, make_history, make_operation, prove

pytestmark = pytest.mark.django_db

MOST_QUERIES = 10
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
