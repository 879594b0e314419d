"""/health/ turns when a part is silent, in every format."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from health_check.exceptions import ServiceUnavailable

from onchain.models import Chain, Heartbeat
from onchain.services import journal
from onchain.services.health import expected_components, health
from tests.pages import Page
from tests.wallets import make_chain, make_wallet
from wallet_site.health import ComponentCheck

# The checks run in threads of their own, which see committed rows only.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.services]

PARTS = expected_components()  # one node, as this site is tested
PATHS = {
    "page": "/health/",
    "json": "/health/?format=json",
    "text": "/health/?format=text",
}


@pytest.fixture
def chain(transactional_db) -> Chain:
    return make_chain()


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_it_is_well_while_everything_was_heard_of_just_now(path, chain):
    assert Client().get(path).status_code == 200


def test_json_names_each_part(chain):
    answer = Client().get(PATHS["json"]).json()

    assert len(answer) == 2 + len(PARTS)
    assert set(answer.values()) == {"OK"}


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize("component", PARTS)
def test_it_turns_when_a_part_is_silent(component, path, chain, settings):
    silence = timedelta(seconds=settings.COMPONENT_STALE_SECONDS + 1)
    Heartbeat.objects.filter(component=component).update(
        seen_at=timezone.now() - silence
    )

    response = Client().get(path)

    assert response.status_code == 500
    assert f"{component.label} is silent." in response.content.decode()


@pytest.mark.parametrize("component", PARTS)
def test_it_turns_when_a_part_was_never_heard_of(component, chain):
    Heartbeat.objects.filter(component=component).delete()

    response = Client().get(PATHS["json"])

    assert response.status_code == 500
    assert list(response.json().values()).count("OK") == 1 + len(PARTS)


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_it_turns_when_submissions_are_stopped(path, chain):
    Chain.objects.update(problem="SafeL2 has other code than the pinned one.")

    response = Client().get(path)

    assert response.status_code == 500
    assert "SafeL2 has other code" in response.content.decode()


def test_it_turns_when_the_chain_was_never_reached(transactional_db):
    response = Client().get(PATHS["json"])

    assert response.status_code == 500
    assert "never reached" in response.content.decode()


# --- Rows found changed -----------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize("code", journal.ALARMS)
def test_it_turns_when_a_row_was_found_changed_until_an_operator_has_looked(
    code, path, chain
):
    """R24, R28."""
    journal.note(actor=None, action=code, target="operation 7")

    response = Client().get(path)

    assert response.status_code == 500
    assert "Rows were found changed: 1." in response.content.decode()
    assert "operation 7" not in response.content.decode()

    assert journal.acknowledge(entry=journal.alarms().get(), actor=make_wallet().user)
    assert Client().get(path).status_code == 200


def test_a_later_alarm_turns_it_again(chain):
    actor = make_wallet().user
    for target in ("operation 7", "operation 8"):
        journal.note(actor=None, action="hash-mismatch", target=target)
        (entry,) = journal.alarms()
        assert Client().get("/health/").status_code == 500
        journal.acknowledge(entry=entry, actor=actor)
        assert Client().get("/health/").status_code == 200
        assert not journal.acknowledge(entry=entry, actor=actor)


# --- Two bundlers -----------------------------------------------------------------------

FIRST, SECOND = Heartbeat.Component.BUNDLER, Heartbeat.Component.SECOND_BUNDLER
NO_BUNDLER = "The bundler does not answer. Payments wait until it is back"


@pytest.mark.parametrize(
    ("silent", "words"),
    [
        ([], []),
        ([FIRST], ["First bundler is silent: payments go through the second."]),
        ([SECOND], ["Second bundler is silent: payments go through the first."]),
        (
            [FIRST, SECOND],
            [
                "First bundler is silent: payments wait.",
                "Second bundler is silent: payments wait.",
            ],
        ),
    ],
    ids=["none", "first", "second", "both"],
)
def test_of_two_bundlers_the_silent_ones_are_named_and_people_told_when_both_are(
    silent, words, chain, settings
):
    settings.SECOND_BUNDLER_URL = "http://127.0.0.1:4338"
    wallet = make_wallet()
    Heartbeat.objects.filter(component__in=silent).update(seen_at=None)

    assert health(now=timezone.now()).problems[1:] == words  # after the old head
    errors = []
    for component in (FIRST, SECOND):
        try:
            ComponentCheck(component=component.value).run()
        except ServiceUnavailable as error:
            errors.append(error.message)
    assert errors == words
    page = Page(wallet.get("safe-detail")).words
    assert (NO_BUNDLER in page) is (len(silent) == 2)


def test_the_rest_of_a_second_bundler_that_was_given_up_hides_nothing(chain):
    wallet = make_wallet()
    Heartbeat.objects.filter(component=FIRST).update(seen_at=None)

    assert NO_BUNDLER in Page(wallet.get("safe-detail")).words
    assert health(now=timezone.now()).problems[1:] == ["Bundler is silent."]


def test_it_is_well_again_after_a_silence(chain):
    Heartbeat.objects.update(seen_at=None)
    assert Client().get("/health/").status_code == 500

    make_chain()

    assert Client().get("/health/").status_code == 200


def test_the_page_names_every_part_in_words(chain):
    Heartbeat.objects.filter(component="bundler").update(seen_at=None)

    words = Page(Client().get("/health/")).words

    for component in PARTS:
        assert component in words
    assert "contracts" in words
    assert "Bundler is silent." in words
    assert words.count("working") == 1 + len(PARTS)


@pytest.mark.parametrize("path", [*PATHS.values(), "/health/?format=openmetrics"])
def test_it_gives_nothing_away(path, chain, settings):
    Heartbeat.objects.update(seen_at=None, detail="Bearer abc at http://key@node/")
    wallet = make_wallet()

    text = Client().get(path).content.decode()

    for secret in (
        "Bearer",
        "key@node",
        settings.NODE_URL,
        settings.BUNDLER_URL,
        settings.SECRET_KEY,
        settings.RELAYER_PRIVATE_KEY,
        wallet.safe.address_text,
    ):
        assert secret not in text


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",  # Java's own default
        "garbage",
        ",",
        "text/html;q=2",
        "application/json",
        "image/png",
        "\xff",
    ],
)
def test_any_accept_header_is_answered(accept, chain):
    headers = {"Accept": accept} if accept else {}

    assert Client().get("/health/", headers=headers).status_code in {200, 406}


def test_nobody_keeps_the_answer_and_no_cookie_comes_with_it(chain):
    response = Client().get("/health/")

    assert "no-store" in response["Cache-Control"]
    assert response.cookies == {}


def test_head_is_answered_like_get(chain):
    assert Client().head("/health/").status_code == 200


def test_catching_up_turns_it_and_says_how_far(chain):
    Chain.objects.update(catch_up_from=0, head_number=50, newest_number=120)

    response = Client().get("/health/")

    assert response.status_code == 500
    assert "Catching up: 50 of 120 blocks." in response.content.decode()
