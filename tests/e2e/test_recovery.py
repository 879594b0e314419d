"""Somebody who lost every passkey gets the account back with two of three guardians.

The guardians are of three kinds: a person here with a passkey, a wallet, and a Safe. On
a site of its own: the chain's time is moved on.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key
from playwright.sync_api import Browser, expect

from onchain.protocol import recovery
from onchain.protocol.abi import call_data
from onchain.protocol.account_calls import execute_call_data
from onchain.protocol.deployments import (
    ENTRY_POINT,
    RECOVERY_MODULES,
    TEST_RECOVERY_DELAY,
)
from onchain.protocol.passkey_signature import (
    SafeSignature,
    client_data_fields,
    operation_signature,
    passkey_signature,
)
from onchain.protocol.recovery_reads import decode_request
from onchain.protocol.safe import signer_address
from onchain.protocol.safe_operation import safe_operation_hash
from onchain.protocol.spoken_words import words_of_recovery
from onchain.protocol.types import Address, Call, checksum_address, to_address
from onchain.protocol.user_operation import (
    UserOperationV07,
    handle_ops_data,
    join_nonce,
)
from tests.conftest import Stack, start_stack, wait_for_words
from tests.e2e.injected_wallet import InjectedSafe, InjectedWallet
from tests.e2e.ledger import ETH, Ledger, new_recipient
from tests.e2e.survey import Survey
from tests.e2e.test_contract_owner import new_safe
from tests.e2e.visitor import PATIENCE, Visitor
from tests.factories import signer_proxy_code
from tests.soft_authenticator import SoftAuthenticator

MODULE = RECOVERY_MODULES[TEST_RECOVERY_DELAY]
CHAIN_ID = 31337
LANE = 2**64  # of operations that no page makes


@pytest.fixture
def alone(
    tmp_path_factory: pytest.TempPathFactory, migrated: Path
) -> Iterator[tuple[Stack, Ledger]]:
    """A site whose chain's time only this test moves."""
    stack = start_stack(tmp_path_factory.mktemp("recovery"), database=migrated)
    try:
        wait_for_words(stack, "Latchkey answers at")
        yield stack, Ledger(stack.node_url)
    finally:
        stack.stop()


def protect(ledger: Ledger, account: str, guardians: list[Address]) -> None:
    """Give the account these guardians, of whom two must approve."""
    safe = to_address(account)
    owners = [to_address(owner) for owner in ledger.owners(account)]
    ledger.act_as(account, recovery.enable_module_call(account=safe, module=MODULE))
    for place, guardian in enumerate(guardians):
        call = recovery.add_guardian_call(
            module=MODULE,
            account=safe,
            guardian=guardian,
            threshold=min(place + 1, 2),
            owners=owners,
            guardians=guardians[:place],
        )
        ledger.act_as(account, call)


def signer_of(visitor: Visitor) -> Address:
    """Return the address of the one passkey of a device."""
    key = visitor.passkeys.public_key()
    return signer_address(public_key=key, proxy_code=signer_proxy_code())


def words_on(visitor: Visitor) -> list[str]:
    """Return the six words on the open page, once it has made them."""
    shown = visitor.page.locator("[data-word]")
    expect(shown).to_have_count(6, timeout=PATIENCE)
    expect(shown.last).not_to_have_text("…", timeout=PATIENCE)
    return [text.strip() for text in shown.all_inner_texts()]


def get_in(visitor: Visitor, link: str) -> None:
    """Follow a guardian's link to the page of what is asked."""
    visitor.go(link)
    visitor.page.get_by_role("button", name="See what is asked").click()
    visitor.page.get_by_role("link", name="See who asks").click()
    visitor.sees("Call them before you approve")


def payment_signed_by(owner: Visitor) -> bytes:
    """Return ``handleOps`` with a payment that the passkey of a device signed.

    Made and signed past the site: what its pages would let through plays no part.
    """
    (held,) = owner.passkeys.all()
    key = load_der_private_key(base64.b64decode(held["privateKey"]), None)
    assert isinstance(key, EllipticCurvePrivateKey)
    recipient = Call(to=to_address(new_recipient()), value_wei=ETH // 10, data=b"")
    op = UserOperationV07(
        sender=to_address(owner.account),
        nonce=join_nonce(LANE, 0),
        call_data=execute_call_data(recipient),
        call_gas_limit=200_000,
        verification_gas_limit=1_000_000,
        pre_verification_gas=50_000,
        max_fee_per_gas=10**9,
        max_priority_fee_per_gas=0,
    )
    digest = safe_operation_hash(op, chain_id=CHAIN_ID, valid_after=0, valid_until=0)
    finger = SoftAuthenticator(private_key=key, origin=owner.origin)
    touched = finger.assert_challenge(digest)
    r, s = touched.r_and_s
    signature = passkey_signature(
        authenticator_data=touched.authenticator_data,
        client_data_fields=client_data_fields(touched.client_data_json, digest),
        r=r,
        s=s,
    )
    own = SafeSignature(owner=signer_of(owner), signature=signature, is_contract=True)
    whole = operation_signature(valid_after=0, valid_until=0, signatures=[own])
    return handle_ops_data([replace(op, signature=whole)], ENTRY_POINT)


@dataclass
class Scene:
    """An account with three guardians, and people at their own browsers."""

    stack: Stack
    ledger: Ledger
    browser: Browser
    survey: Survey = field(default_factory=Survey)
    people: list[Visitor] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.owner, self.friend, self.holder, self.board, self.claimant = (
            self.arrives() for _ in range(5)
        )
        self.wallet = InjectedWallet()
        self.safe: InjectedSafe = new_safe(self.ledger)
        self.safe.around_hashes = True
        self.owner.open_wallet()
        self.friend.create_wallet()
        self.wallet.inject(self.holder.context)
        self.safe.inject(self.board.context)
        for visitor in (self.holder, self.board):
            visitor.create_wallet()
        guardians = [
            signer_of(self.friend),
            self.wallet.wallet.address,
            to_address(self.safe.address_text),
        ]
        protect(self.ledger, self.owner.account, guardians)
        self.owners_before = self.ledger.owners(self.owner.account)

    def arrives(self) -> Visitor:
        visitor = Visitor(self.browser.new_context(), self.stack.origin)
        self.people.append(visitor)
        return visitor

    def own_with(self, wallet: InjectedWallet) -> None:
        """Name a wallet as the new owner; it shows that it signs."""
        page, survey = self.claimant.page, self.survey
        wanted = "Own it with a wallet instead of a passkey"
        page.get_by_role("link", name=wanted).click()
        self.claimant.sees("A wallet of yours becomes the owner")
        survey.look_at("recover-wallet", page)
        self.claimant.press("Take the address from this wallet")
        field = page.get_by_label("Address", exact=True)
        expect(field).to_have_value(wallet.address_text.lower())
        self.claimant.press("Go on with this address")
        self.claimant.sees("The new owner to be")
        survey.look_at("recover-wallet-named", page)
        self.claimant.press("Ask the guardians")
        self.claimant.sees("Show that it can sign")
        survey.look_at("recovery-wallet-proof", page)
        self.claimant.press("Sign with this wallet")

    def choose_nickname(self, name: str) -> None:
        """Let the owner give the account a nickname."""
        self.owner.visit("recovery/nickname/")
        self.survey.look_at("recovery-nickname", self.owner.page)
        self.owner.page.get_by_label("Nickname", exact=True).fill(name)
        self.owner.press("Use this nickname")
        self.owner.sees(f"/recover/{name}/")
        self.survey.look_at("recovery-nickname-chosen", self.owner.page)

    def look_through(self) -> None:
        """Let the claimant look once at who is gone and what stayed."""
        claimant = self.claimant
        claimant.page.get_by_role("link", name="See what stayed").click()
        claimant.sees("1. Who owns it now")
        gone = claimant.page.get_by_role("listitem").filter(has_text="owns it no more")
        expect(gone).to_have_count(1)
        claimant.sees("3. Who guards it")
        expect(claimant.page.get_by_role("link", name="Remove")).to_have_count(3)
        self.survey.look_at("recovered", claimant.page)
        claimant.account = self.owner.account
        claimant.visit()
        claimant.sees("Your guardians brought this account back")
        self.survey.look_at("recovered-notice", claimant.page)
        claimant.page.get_by_role("link", name="See what stayed").click()
        claimant.press("Done")
        claimant.arrive()
        expect(claimant.page.locator("#recovered")).to_have_count(0)

    def ask(self, wallet: InjectedWallet | None = None, *, at: str = "") -> str:
        """Let the claimant ask from a browser that was never here; the link."""
        claimant, survey = self.claimant, self.survey
        claimant.go("/recover/")
        survey.look_at("recover", claimant.page)
        claimant.page.get_by_label("The account’s address").fill(
            at or self.owner.account
        )
        claimant.press("See who could bring it back")
        claimant.sees("2 of 3 guardians, after a delay of 3 minutes")
        survey.look_at("recover-found", claimant.page)
        claimant.press("Create a new passkey")
        if wallet is None:
            claimant.press("Ask the guardians")
            claimant.press("Touch the passkey")
        else:
            self.own_with(wallet)
        claimant.sees("Who shall own the account")
        survey.look_at("recovery-owners", claimant.page)
        claimant.press("Go on")
        claimant.sees("2 of 3 guardians must approve.")
        self.said = words_on(claimant)
        survey.look_at("recovery-words", claimant.page)
        claimant.press("Make a link for the guardians")
        link = claimant.page.locator("[data-guardian-link]").inner_text().strip()
        survey.look_at("recovery-link", claimant.page)
        claimant.page.get_by_role("link", name="Back to the words").click()
        return link

    def approve(self, guardian: Visitor, link: str, how: str = "approve") -> None:
        """Let a guardian compare the words and sign."""
        get_in(guardian, link)
        assert words_on(guardian) == self.said
        digest = guardian.page.evaluate(
            "JSON.parse(document.getElementById('signing-request').textContent).hash"
        )
        assert self.said == list(words_of_recovery(bytes.fromhex(digest[2:])))
        self.survey.look_at("guardian-claim", guardian.page)
        guardian.press(f"The words are the same: {how}")
        guardian.sees("You approved")

    def approved(self, count: int) -> None:
        """Wait until the claimant sees so many guardians who approved."""
        guardians = self.claimant.page.get_by_label("Guardians", exact=True)
        expect(guardians.get_by_text("Approved")).to_have_count(count, timeout=PATIENCE)

    def has_request(self) -> bool:
        """Whether the chain itself has a recovery of the account that waits."""
        asked = call_data("getRecoveryRequest(address)", to_address(self.owner.account))
        call = {"to": checksum_address(MODULE), "data": f"0x{asked.hex()}"}
        answer = self.ledger.call("eth_call", call, "latest")
        return decode_request(bytes.fromhex(answer[2:])) is not None

    def wait_out_the_delay(self) -> None:
        self.ledger.call("evm_increaseTime", TEST_RECOVERY_DELAY + 60)
        self.ledger.call("evm_mine")

    def leave(self) -> None:
        """Close the browsers; nothing strange may have been noticed in any."""
        assert (self.survey.barriers, self.survey.sideways) == ([], [])
        for visitor in self.people:
            for kind in ("violation", "elsewhere", "console"):
                assert visitor.noticed[kind] == []
            visitor.context.close()


@pytest.fixture
def scene(alone: tuple[Stack, Ledger], browser: Browser) -> Scene:
    return Scene(*alone, browser)


@pytest.mark.thorough
def test_a_person_and_a_safe_bring_an_account_back_to_a_fresh_browser(
    scene: Scene,
) -> None:
    ledger, owner, claimant = scene.ledger, scene.owner, scene.claimant
    signed = payment_signed_by(owner)
    entry_point = checksum_address(ENTRY_POINT)
    assert ledger.refusal(entry_point, signed) == ""  # before: the owner's own money

    scene.choose_nickname("grandmas-cottage")
    link = scene.ask(at="grandmas-cottage")
    scene.approve(scene.friend, link)
    # The threshold is not met: the claim waits, and nothing is on the chain.
    scene.approved(1)
    claimant.sees("2 of 3 guardians must approve.")
    scene.friend.sees("2 of 3 guardians must approve.")
    assert not scene.has_request()
    scene.approve(scene.board, link, "approve with your wallet")

    claimant.sees("A recovery has begun")
    scene.survey.look_at("recovery-waiting", claimant.page)
    assert scene.has_request()
    assert ledger.owners(owner.account) == scene.owners_before
    scene.wait_out_the_delay()
    # The worker finishes it; it looks once a minute.
    finished = claimant.page.get_by_text("The account is yours again")
    expect(finished).to_be_visible(timeout=2 * PATIENCE)
    scene.survey.look_at("recovery-done", claimant.page)
    new = checksum_address(signer_of(claimant))
    assert ledger.owners(owner.account) == [new]

    scene.look_through()
    recipient = new_recipient()
    claimant.pay(recipient, "0.25")
    assert ledger.balance_wei(recipient) == ETH // 4
    assert "AA24" in ledger.refusal(entry_point, signed)  # after: nobody's
    scene.leave()


@pytest.mark.thorough
def test_a_person_and_a_wallet_begin_and_the_owner_cancels(scene: Scene) -> None:
    owner, claimant = scene.owner, scene.claimant
    wallet = InjectedWallet()
    wallet.inject(claimant.context)
    link = scene.ask(wallet)
    claimant.sees("your new wallet")
    scene.approve(scene.holder, link, "approve with your wallet")
    scene.approve(scene.friend, link)
    claimant.sees("A recovery has begun")

    owner.visit()
    owner.reloads_until("has begun")
    alarm = owner.page.locator("[id^=recovery-alarm-]")
    alarm.get_by_role("link", name="Cancel recovery").click()
    owner.press("Cancel recovery")
    owner.authorize_button.click()
    owner.wait_until_included()
    assert not scene.has_request()
    scene.wait_out_the_delay()

    stopped = claimant.page.get_by_text("The owners cancelled this recovery")
    expect(stopped).to_be_visible(timeout=2 * PATIENCE)
    scene.survey.look_at("recovery-cancelled", claimant.page)
    assert scene.ledger.owners(owner.account) == scene.owners_before
    scene.leave()


def ask_for(claimant: Visitor) -> list[str]:
    """Prove the new passkey for the open account and ask; the words to read out."""
    claimant.press("Touch the passkey")
    claimant.press("Go on")
    claimant.sees("1 of 1 guardian must approve.")
    return words_on(claimant)


@pytest.mark.thorough
def test_one_claim_brings_two_accounts_back(
    alone: tuple[Stack, Ledger], browser: Browser
) -> None:
    stack, ledger = alone
    survey = Survey()
    people = [Visitor(browser.new_context(), stack.origin) for _ in range(5)]
    *owners, stranger, friend, claimant = people
    for visitor in (*owners, stranger, friend):
        visitor.create_wallet()
    for visitor in (*owners, stranger):
        visitor.visit()
        visitor.wait_until_live()
        ledger.give(visitor.account, ETH)
    for owner in owners:
        protect(ledger, owner.account, [signer_of(friend)])
    protect(ledger, stranger.account, [to_address(new_recipient())])

    claimant.go(f"/recover/?account={owners[0].account}")
    claimant.press("Create a new passkey")
    claimant.press("Ask the guardians")
    said = [ask_for(claimant)]
    for other in (stranger, owners[1]):
        claimant.page.get_by_text("Add another account").click()
        field = claimant.page.get_by_label("The other account’s address")
        field.fill(other.account)
        survey.look_at("recovery-another-account", claimant.page)
        claimant.press("Add this account")
        if other is stranger:
            claimant.sees("This account has other guardians, or none.")
            survey.look_at("recovery-other-guardians", claimant.page)
            claimant.page.get_by_role("link", name="Back to the first account").click()
    said.append(ask_for(claimant))
    assert said[0] != said[1]
    survey.look_at("recovery-two-accounts", claimant.page)
    claimant.press("Make a link for the guardians")
    link = claimant.page.locator("[data-guardian-link]").inner_text().strip()

    friend.go(link)
    friend.press("See what is asked")
    expect(friend.page.get_by_role("link", name="See who asks")).to_have_count(2)
    friend.page.get_by_role("link", name="See who asks").first.click()
    for done in (0, 1):
        friend.sees(f"You approved {done} of 2 accounts")
        assert words_on(friend) in said
        survey.look_at(f"guardian-two-accounts-{done}", friend.page)
        friend.press("The words are the same: approve")
        friend.sees(f"You approved {done + 1} of 2 accounts")
        friend.sees("You approved")
        if not done:
            beside = friend.page.get_by_role("listitem").filter(has_text="Waiting for")
            beside.get_by_role("link").click()

    claimant.page.get_by_role("link", name="Back to the words").click()
    for owner in owners:
        claimant.go(claimant.page.url.partition("?")[0] + f"?account={owner.account}")
        claimant.sees("A recovery has begun")
    ledger.call("evm_increaseTime", TEST_RECOVERY_DELAY + 60)
    ledger.call("evm_mine")
    for owner in owners:
        claimant.go(claimant.page.url.partition("?")[0] + f"?account={owner.account}")
        finished = claimant.page.get_by_text("The account is yours again")
        expect(finished).to_be_visible(timeout=2 * PATIENCE)
        new = checksum_address(signer_of(claimant))
        assert ledger.owners(owner.account) == [new]
    survey.look_at("recovery-two-done", claimant.page)
    assert (survey.barriers, survey.sideways) == ([], [])
    for visitor in people:
        for kind in ("violation", "elsewhere", "console"):
            assert visitor.noticed[kind] == []
        visitor.context.close()
