"""Rehearsals on the pages of owners, of others of an account, and of guardians."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from onchain.models import DrillAnswer, Membership, RecoveryDrill, Role
from onchain.models.owner import public_key_of
from onchain.services import recovery_drills, signers
from onchain.templatetags.display import took
from tests.drills import answered, guarded_by
from tests.factories import World, assertion_text, make_user, make_wallet, make_world
from tests.meanwhile import whenever
from tests.onchain.services.guarding import guard
from tests.pages import Page
from tests.wallet_keys import SoftWallet

pytestmark = pytest.mark.django_db


@dataclass(frozen=True, kw_only=True)
class Guarded:
    """An account with three wallets as guardians, two of which must approve."""

    world: World
    wallets: list[SoftWallet]
    people: list[User]

    @property
    def page_url(self) -> str:
        safe = self.world.wallet.safe
        return f"/safes/{safe.chain.chain_id}/{safe.address_text}/recovery/"

    @property
    def owner(self) -> Client:
        return signed_in(self.world.wallet.user)

    def start(self) -> RecoveryDrill:
        safe, user = self.world.wallet.safe, self.world.wallet.user
        return recovery_drills.start(safe=safe, user=user)

    def answer(self, drill: RecoveryDrill, place: int) -> DrillAnswer:
        return answered(drill, self.wallets[place], self.people[place])


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def of(drill: RecoveryDrill, name: str = "guardian-drill") -> str:
    return reverse(f"onchain:{name}", args=[drill.pk])


def says(response: HttpResponse, status: int = 200) -> str:
    assert response.status_code == status
    return Page(response).words


@pytest.fixture
def guarded(db: None) -> Guarded:
    world, wallets = make_world(), [SoftWallet() for _ in range(3)]
    return Guarded(world=world, wallets=wallets, people=guarded_by(world, *wallets))


# --- The owners' side ---------------------------------------------------------------------


def test_an_account_without_guardians_has_nothing_to_rehearse(db: None):
    world = make_world()
    safe = world.wallet.safe
    url = f"/safes/{safe.chain.chain_id}/{safe.address_text}/recovery/"
    client = signed_in(world.wallet.user)

    assert "Rehearse a recovery" not in says(client.get(url))
    client.post(f"{url}rehearsal-start")
    assert "Nobody guards this account" in says(client.get(url))
    assert not RecoveryDrill.objects.exists()


def test_an_owner_starts_sees_who_answered_how_fast_and_ends_it(guarded: Guarded):
    owner, url = guarded.owner, guarded.page_url
    assert "Start a rehearsal" in says(owner.get(url))

    assert owner.post(f"{url}rehearsal-start").headers["Location"] == url
    words = says(owner.get(url))
    assert "A rehearsal is under way" in words
    assert "0 of 3 have answered, 2 would be enough" in words
    assert "would not have worked yet" in words
    drill = RecoveryDrill.objects.get()
    guarded.answer(drill, 0)
    second = guarded.answer(drill, 1)
    later = drill.asked_at + timedelta(days=2, hours=3)
    DrillAnswer.objects.filter(pk=second.pk).update(created_at=later)
    page = Page(owner.get(f"{url}rehearsal"))
    assert "2 of 3 have answered, 2 would be enough" in page.words
    assert "this recovery would have worked." in page.words
    assert "Answered within a minute" in page.words
    assert "Answered after 2 days" in page.words
    assert page.words.count("Not yet") == 1
    assert "every 5s" in page.html

    owner.post(f"{url}rehearsal-end")
    page = Page(owner.get(url))
    assert "Last rehearsal:" in page.words
    assert "Ended early" in page.words
    assert "this recovery would have worked." in page.words
    assert "Did not answer" in page.words
    assert "every 5s" not in page.html


def test_what_the_last_one_has_shown_stays_when_guardians_change(guarded: Guarded):
    drill = guarded.start()
    for place in range(2):
        guarded.answer(drill, place)
    first = guarded.wallets[0].address

    guard(guarded.world, first, threshold=1)
    words = says(guarded.owner.get(guarded.page_url))
    assert "1 of 1 has answered, 1 would be enough" in words
    assert words.count("Is no guardian any more") == 2
    recovery_drills.end(drill=drill)
    guard(guarded.world, *(wallet.address for wallet in guarded.wallets), threshold=3)

    words = says(guarded.owner.get(guarded.page_url))
    assert "1 of 1 has answered, 1 would be enough: this recovery would" in words


def test_viewers_and_approvers_look_on(guarded: Guarded):
    guarded.start()
    for role in (Role.VIEWER, Role.APPROVER):
        user = make_user()
        Membership.objects.create(
            safe=guarded.world.wallet.safe,
            user=user,
            role=role,
            created_by=guarded.world.wallet.user,
        )
        client = signed_in(user)
        page = Page(client.get(guarded.page_url))

        assert "A rehearsal is under way" in page.words
        assert "rehearsal-end" not in page.html
        assert client.post(f"{guarded.page_url}rehearsal-end").status_code == 403
    assert RecoveryDrill.objects.running().exists()


def test_the_link_is_shown_once_and_a_new_one_ends_it(guarded: Guarded):
    drill, url = guarded.start(), f"{guarded.page_url}rehearsal-link"
    links = []
    for _ in range(2):
        answer = guarded.owner.post(url)
        assert answer["Cache-Control"] == "no-store"
        (item,) = Page(answer).with_attribute("data-copy")
        links.append(item["data-copy"])
    first, second = (link.partition("#")[2] for link in links)
    stranger = signed_in(make_user())
    opening = reverse("onchain:guardian-drill-open")

    assert "is a rehearsal" not in says(stranger.get(links[0].partition("#")[0]))
    assert stranger.get(of(drill)).status_code == 404
    says(stranger.post(opening, {"token": first}), 410)
    assert stranger.post(opening, {"token": second})["Location"] == of(drill)
    assert "This is a rehearsal" in says(stranger.get(of(drill)))
    recovery_drills.end(drill=drill)
    assert "is over" in says(guarded.owner.post(url, follow=True))
    assert "The rehearsal is over" in says(stranger.get(of(drill)))


# --- The guardians' side ------------------------------------------------------------------


def test_a_guardian_finds_it_in_the_inbox_and_answers_with_a_wallet(guarded: Guarded):
    drill, user = guarded.start(), guarded.people[0]
    wallet, client = guarded.wallets[0], signed_in(user)
    inbox = reverse("onchain:guardian-inbox")
    assert "Answer the rehearsal" in says(client.get(inbox))
    page = Page(client.get(of(drill)))
    request = page.json["signing-request"]
    assert request["kind"] == "RecoveryDrill"
    assert request["wallets"] == drill.guardians
    assert request["allowCredentials"] == []
    (form,) = page.with_attribute("data-wallet-box")
    assert form["action"] == of(drill, "guardian-drill-answer-wallet")
    assert form["data-shown"] == f"drill-{drill.pk}"
    assert form["hx-target"] == f"#guardian-drill-{drill.pk}"
    assert page.shown("notice") == (
        "This is a rehearsal. Nothing can happen to the account."
    )

    digest = bytes.fromhex(request["hash"][2:])
    for signature in ("0x", "0x" + "11" * 65):
        given = {"account": guarded.wallets[1].address_text, "signature": signature}
        answer = client.post(
            of(drill, "guardian-drill-answer-wallet"), {"credential": json.dumps(given)}
        )
        if signature == "0x":
            assert "That is no signature of a wallet" in says(answer, 422)
    DrillAnswer.objects.all().delete()
    given = {
        "account": wallet.address_text,
        "signature": "0x" + wallet.sign_hash(digest).hex(),
    }
    answer = client.post(
        of(drill, "guardian-drill-answer-wallet"),
        {"credential": json.dumps(given)},
        headers={"HX-Request": "true"},
    )

    assert "You answered" in says(answer)
    assert "Your signature counts" in says(client.get(of(drill)))
    assert "Answer the rehearsal" not in says(client.get(inbox))


def test_a_guardian_answers_with_a_passkey_and_the_page_waits(guarded: Guarded):
    bob, world = make_wallet(), guarded.world
    signer = signers.signer_for(
        public_key=public_key_of(bob.credential), safe=world.wallet.safe
    )
    fake = guard(world, signer, guarded.wallets[0].address, threshold=1)
    assert fake is not None
    drill, client = guarded.start(), signed_in(bob.user)
    token = recovery_drills.renew_link(drill=drill)
    client.post(reverse("onchain:guardian-drill-open"), {"token": token})
    page = Page(client.get(of(drill)))
    (key,) = page.json["signing-request"]["allowCredentials"]
    assert page.json["signing-request"]["wallets"] == [guarded.wallets[0].address_text]
    assert key

    wrong = assertion_text(bob.passkey, b"\1" * 32)
    answer = client.post(of(drill, "guardian-drill-answer"), {"credential": wrong})
    assert answer.status_code == 422
    assert not drill.answers.exists()
    right = assertion_text(bob.passkey, bytes(drill.hash_to_sign))
    client.post(of(drill, "guardian-drill-answer"), {"credential": right})

    page = Page(client.get(of(drill, "guardian-drill-card")))
    assert "Checking your answer" in page.words
    assert "every 1s" in page.html
    DrillAnswer.objects.update(status="refused")
    assert "did not accept the last signature" in says(client.get(of(drill)))
    DrillAnswer.objects.update(status="valid")
    assert "You answered" in says(client.get(of(drill)))


def test_who_guards_with_two_keys_is_asked_for_both(guarded: Guarded):
    user = guarded.people[0]
    setup = guarded.world.wallet.safe.recovery_setups.get()
    setup.guardians.update(holder=user)
    drill, client = guarded.start(), signed_in(user)

    for place in range(3):
        assert "Answer the rehearsal" in says(client.get(of(drill)))
        answered(drill, guarded.wallets[place], user)

    assert "You answered" in says(client.get(of(drill)))


def test_strangers_see_nothing_of_it(guarded: Guarded):
    drill, stranger = guarded.start(), signed_in(make_user())
    answer = {"credential": "{}"}

    for name in ("guardian-drill", "guardian-drill-card"):
        assert stranger.get(of(drill, name)).status_code == 404
    for name in ("guardian-drill-answer", "guardian-drill-answer-wallet"):
        assert stranger.post(of(drill, name), answer).status_code == 404


def test_the_card_never_contradicts_itself_while_guardians_answer(guarded: Guarded):
    drill = guarded.start()
    guarded.answer(drill, 0)
    owner = guarded.owner
    shown = whenever(
        lambda: guarded.answer(drill, 1), lambda: says(owner.get(guarded.page_url))
    )

    seen = set()
    for words in shown:
        count = words.count("Answered within a minute")
        assert f"{count} of 3 ha" in words
        assert ("this recovery would have worked." in words) == (count == 2)
        seen.add(count)
    assert seen == {1, 2}


def test_how_long_somebody_took_is_said_in_one_unit():
    spans = {
        timedelta(seconds=59): "within a minute",
        timedelta(seconds=60): "after 1 minute",
        timedelta(minutes=3, seconds=40): "after 3 minutes",
        timedelta(hours=2): "after 2 hours",
        timedelta(days=13, hours=5): "after 13 days",
    }

    assert {span: took(span) for span in spans} == spans


def test_an_answer_after_its_time_is_refused_in_words(guarded: Guarded):
    drill, client = guarded.start(), signed_in(guarded.people[0])
    RecoveryDrill.objects.update(until=timezone.now())
    wallet = guarded.wallets[0]
    given = {
        "account": wallet.address_text,
        "signature": "0x" + wallet.sign_hash(bytes(drill.hash_to_sign)).hex(),
    }

    answer = client.post(
        of(drill, "guardian-drill-answer-wallet"), {"credential": json.dumps(given)}
    )

    assert answer.status_code == 422
    assert "Show that you can still sign" not in says(client.get(of(drill)))
