"""People outside who are warned of a recovery: asked, agreed, warned, ended (R58, R61)."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts import mails, outsiders
from accounts.errors import OutsiderLinkRefused
from accounts.models import EmailAddress, OutgoingMail, Outsider
from onchain.errors import AlertContactRefused
from onchain.guardian_errors import GuardianThresholdImpossible, NobodyIsWarned
from onchain.models import AlertContact, UserOperation
from onchain.services import alert_contacts, recovery_alarms
from tests.factories import World, make_credential, make_user
from tests.onchain.services.guarding import prove_guardians, set_up
from tests.onchain.services.happenings import follow
from tests.onchain.services.recoveries import GUARDIANS, FakeModule
from tests.soft_authenticator import SoftAuthenticator
from tests.undoing import undone
from tests.wallets import Wallet

LINK = re.compile(r"http\S+/alerts/answer#(\S+)")


@pytest.fixture(autouse=True)
def mailing(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.HAS_EMAIL = True


def named(world: World, address: str = "anna@example.com") -> AlertContact:
    return alert_contacts.add(
        safe=world.wallet.safe, user=world.wallet.user, name="Anna", address=address
    )


def ask(wallet: Wallet, account: str = "", address: str = "anna@example.com") -> Any:
    """Fill in the form and touch the passkey, maybe for something else than is asked."""
    return wallet.confirmed(
        "alert-contact-add",
        "change-warned",
        account or wallet.safe.address_text,
        address,
        name="Anna",
    )


def take_off(wallet: Wallet, contact: AlertContact) -> Any:
    return wallet.confirmed(
        "alert-contact-remove", "change-warned", wallet.safe.address_text, contact.pk
    )


def token_in(mailoutbox: list[Any]) -> str:
    mails.send_due()
    found = LINK.search(mailoutbox[-1].body)
    assert found is not None
    return found[1]


def test_nobody_is_warned_who_has_not_agreed(world: World, mailoutbox: list[Any]):
    contact = named(world)
    safe = world.wallet.safe
    assert not alert_contacts.can_be_warned(safe=safe)
    token = token_in(mailoutbox)
    assert mailoutbox[0].to == ["anna@example.com"]
    assert token not in str(Outsider.objects.values())

    outsiders.answer(token=token, agrees=True)

    assert alert_contacts.can_be_warned(safe=safe)
    contact.outsider.refresh_from_db()
    assert contact.outsider.status == "active"
    with pytest.raises(OutsiderLinkRefused):  # once
        outsiders.answer(token=token, agrees=False)


def test_who_declined_or_let_it_expire_gets_nothing_more(
    world: World, mailoutbox: list[Any]
):
    declined, late = named(world), named(world, "ben@example.com")
    mails.send_due()
    tokens = [LINK.search(mail.body)[1] for mail in mailoutbox]
    outsiders.answer(token=tokens[0], agrees=False)
    past = timezone.now() - timedelta(seconds=1)  # SQLite's clock has milliseconds
    Outsider.objects.filter(pk=late.outsider_id).update(token_expires_at=past)
    with pytest.raises(OutsiderLinkRefused):
        outsiders.answer(token=tokens[1], agrees=True)

    count = alert_contacts.warn(
        safe=world.wallet.safe,
        notice=OutgoingMail.Notice.RECOVERY_BEGAN,
        detail="Something",
    )

    assert count == 0
    assert Outsider.objects.get(pk=declined.outsider_id).status == "declined"
    assert len(mailoutbox) == 2


def test_who_agreed_is_warned_with_the_owners_and_no_mail_has_a_link_that_acts(
    world: World, mailoutbox: list[Any]
):
    named(world)
    outsiders.answer(token=token_in(mailoutbox), agrees=True)
    follow(world)
    module = FakeModule(world)
    world.node.mine(*module.guard(*GUARDIANS), module.start())
    follow(world)
    mailoutbox.clear()

    recovery_alarms.tell_due(chain=world.chain)
    world.node.mine(module.cancel())
    follow(world)
    recovery_alarms.tell_due(chain=world.chain)
    mails.send_due()

    began, ended = mailoutbox
    assert began.subject == "Latchkey: A recovery has begun"
    assert ended.subject == "Latchkey: A recovery has ended"
    for mail in mailoutbox:
        assert mail.to == ["anna@example.com"]
        assert world.wallet.safe.name in mail.body
        assert re.findall(r"https?://[^\s:]+:?\S*/\S+", mail.body) == []
    assert "can cancel it until" in began.body


def test_three_at_most_each_once_and_a_few_a_day(world: World):
    for place in range(3):
        contact = named(world, f"anna{place}@example.com")
        with pytest.raises(AlertContactRefused, match="already|at most"):
            named(world, f"ANNA{place}@example.com")
    with pytest.raises(AlertContactRefused, match="at most 3"):
        named(world, "dan@example.com")

    for place in range(3, 6):
        alert_contacts.remove(contact=contact, user=world.wallet.user)
        contact = named(world, f"anna{place}@example.com")
    alert_contacts.remove(contact=contact, user=world.wallet.user)

    with pytest.raises(AlertContactRefused, match="tomorrow"):
        named(world, "dan@example.com")


def test_taking_somebody_off_is_told_to_them_and_to_every_owner(
    world: World, mailoutbox: list[Any]
):
    contact = named(world)
    outsiders.answer(token=token_in(mailoutbox), agrees=True)
    contact.outsider.refresh_from_db()
    mailoutbox.clear()

    for _ in range(2):
        alert_contacts.remove(contact=contact, user=world.wallet.user)
    mails.send_due()

    assert [mail.subject for mail in mailoutbox] == [
        "Latchkey: You are no longer an alert contact"
    ]
    told = world.wallet.user.security_events.filter(kind="alert-contact")
    assert told.count() == 2  # named, and taken off
    assert not alert_contacts.can_be_warned(safe=world.wallet.safe)


def test_somebody_can_be_warned_or_an_owner_says_that_nobody_can(world: World):
    safe, owner = world.wallet.safe, world.wallet.user
    assert not alert_contacts.is_settled(safe=safe)
    alert_contacts.acknowledge(safe=safe, user=make_user())  # a stranger's word
    assert not alert_contacts.is_settled(safe=safe)
    for _ in range(2):
        alert_contacts.acknowledge(safe=safe, user=owner)
    assert alert_contacts.is_settled(safe=safe)
    assert not alert_contacts.can_be_warned(safe=safe)

    EmailAddress.objects.create(user=owner, address="a@example.com", status="active")
    assert alert_contacts.can_be_warned(safe=safe)


def test_recovery_is_set_up_only_where_somebody_is_warned_or_nobody_can_be(
    world: World,
):
    prove_guardians(world, *GUARDIANS)
    safe, owner = world.wallet.safe, world.wallet.user
    contact = named(world)  # who has yet to agree, and hears of nothing
    for _again in range(2):
        with pytest.raises(NobodyIsWarned):
            set_up(world, is_unwarned=False)
    assert not alert_contacts.is_settled(safe=safe)

    # In words of the owner's own, which are kept for the next time.
    with undone():
        assert set_up(world, is_unwarned=True).pk
        assert alert_contacts.is_settled(safe=safe)
        UserOperation.objects.all().delete()
        assert set_up(world, is_unwarned=False).pk
    # What is refused for something else keeps no word.
    with pytest.raises(GuardianThresholdImpossible):
        set_up(world, is_unwarned=True, threshold=4)
    assert not alert_contacts.is_settled(safe=safe)
    with undone():
        Outsider.objects.filter(pk=contact.outsider_id).update(status="active")
        assert set_up(world, is_unwarned=False).pk
    EmailAddress.objects.create(user=owner, address="a@example.com", status="active")
    assert set_up(world, is_unwarned=False).pk


def test_a_site_without_mail_asks_nobody(world: World, settings: Any):
    settings.HAS_EMAIL = False

    with pytest.raises(AlertContactRefused, match="sends no mail"):
        named(world)

    assert not AlertContact.objects.exists()


def test_a_mailbox_that_had_enough_rests(world: World, mailoutbox: list[Any]):
    for _ in range(12):
        outsiders.ask(name="Anna", address="anna@example.com", about="an account")
    mails.send_due()

    assert len(mailoutbox) == 10


def test_the_link_asks_and_two_buttons_answer(
    alice: Wallet, mailoutbox: list[Any], client: Any
):
    asked = ask(alice)
    assert asked.status_code == 302
    token = token_in(mailoutbox)
    page = client.get(reverse("alert-link"))
    assert (page["Cache-Control"], page["Referrer-Policy"]) == (
        "no-store",
        "no-referrer",
    )
    assert Outsider.objects.get().status == "pending"

    answered = client.post(reverse("alert-agree"), {"token": token})

    assert "You will be warned" in answered.text
    assert answered["Referrer-Policy"] == "no-referrer"
    assert "Is warned" in alice.get("alert-contacts").text
    again = client.post(reverse("alert-decline"), {"token": token})
    assert again.status_code == 410
    assert Outsider.objects.get().status == "active"


def test_another_accounts_contact_cannot_be_taken_off(alice: Wallet, bob: Wallet):
    ask(bob)
    contact = AlertContact.objects.get()

    response = take_off(alice, contact)

    assert response.status_code == 400
    assert Outsider.objects.get().status == "pending"
    wrong = ask(alice, address="nobody")
    assert wrong.status_code == 422
    assert "This is not an e-mail address" in wrong.text


def test_a_touch_confirms_whom_and_for_which_account(alice: Wallet, bob: Wallet):
    """An open session alone changes nothing of who is warned (R14)."""

    def post(**fields: Any) -> Any:
        return alice.post("alert-contact-add", {"name": "Anna", **fields})

    anna = "anna@example.com"
    refused = [
        post(target=anna),
        post(target=anna, credential="{}"),
        ask(alice, account=bob.safe.address_text),
        ask(alice, account=" "),
    ]
    options = {"action": "change-email", "target": [alice.safe.address_text, anna]}
    begun = alice.client.post(reverse("step-up-begin"), options).json()
    refused.append(post(target=anna, credential=json.dumps(alice.passkey.get(begun))))
    options["action"] = "change-warned"
    begun = alice.client.post(reverse("step-up-begin"), options).json()
    answer = json.dumps(alice.passkey.get(begun))
    refused.append(post(target="eve@example.com", credential=answer))
    assert {response.status_code for response in refused} == {400, 410}
    assert alice.url("alert-contacts") in refused[0].text  # the way back
    assert not AlertContact.objects.exists()

    assert post(target=anna, credential=answer).status_code == 302
    again = post(target=anna, credential=answer)  # it was spent by that
    assert again.status_code == 410
    contact = AlertContact.objects.get()
    assert contact.outsider.address == anna

    untouched = alice.post("alert-contact-remove", {"target": contact.pk})
    assert untouched.status_code == 400
    # Whoever added a passkey just now does not silence who is warned.
    first = alice.passkey
    alice.passkey = SoftAuthenticator()
    make_credential(alice.passkey, user=alice.user)
    assert "72 hours" in take_off(alice, contact).text
    contact.outsider.refresh_from_db()
    assert contact.outsider.status == "pending"
    alice.passkey = first
    assert take_off(alice, contact).status_code == 302
    contact.outsider.refresh_from_db()
    assert contact.outsider.status == "ended"


def test_a_stranger_is_not_even_asked_for_a_touch(alice: Wallet, bob: Wallet):
    for name in ("alert-contact-add", "alert-contact-remove"):
        response = bob.client.post(alice.url(name), {"target": "1"})
        assert response.status_code == 404
