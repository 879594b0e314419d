"""The address book: written by owners, read by all; what it says beside addresses."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from onchain.models import Contact, Role, Safe, UserOperation
from onchain.protocol.types import checksum_address, to_address
from onchain.services import contacts
from tests.pages import Page
from tests.wallets import (
    RECIPIENT,
    Status,
    Wallet,
    join,
    make_operation,
    make_review,
    operation_url,
)

pytestmark = pytest.mark.django_db

OTHER = "0x8641AD3a0067B4F505047008E7e59e892F59Af24"


def name(wallet: Wallet, text: str = "Rent", address: str = RECIPIENT) -> Contact:
    return contacts.add(
        safe=wallet.safe, user=wallet.user, address=to_address(address), name=text
    )


def words(wallet: Wallet, page: str = "contacts") -> str:
    return Page(wallet.get(page)).words


def review(wallet: Wallet, op: UserOperation) -> str:
    return Page(wallet.client.get(operation_url(op))).words


# --- The book ---------------------------------------------------------------------------


def test_an_empty_book_says_what_to_do(alice: Wallet):
    assert "No address has a name yet. Add the first one below." in words(alice)


def test_a_name_is_added_renamed_and_removed(alice: Wallet):
    added = alice.post("contact-add", {"address": RECIPIENT, "name": "Rent"})
    contact = Contact.objects.get()
    assert (added.status_code, contact.name) == (302, "Rent")

    alice.post("contact-rename", {"contact": contact.pk, "name": "Home"})
    assert "Home" in words(alice)
    alice.post("contact-remove", {"contact": contact.pk})

    assert not Contact.objects.exists()


def test_what_is_hidden_in_a_name_is_shown(alice: Wallet):
    alice.post("contact-add", {"address": RECIPIENT, "name": "Re\u202ent"})

    assert "Re⟨U+202E⟩nt" in words(alice)


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"address": "0x12", "name": "a"}, "40 characters"),
        ({"address": RECIPIENT, "name": ""}, "Give it a name."),
        ({"address": RECIPIENT, "name": "x" * 61}, "at most 60"),
        ({"address": OTHER, "name": "again"}, "in the book already: Known"),
    ],
    ids=["address", "no name", "long name", "known"],
)
def test_what_cannot_be_added_is_said_in_its_place(alice: Wallet, form, error):
    name(alice, "Known", OTHER)

    response = alice.post("contact-add", form)

    assert response.status_code == 422
    assert error in Page(response).words
    assert Contact.objects.count() == 1


def test_a_full_book_takes_no_more(alice: Wallet, monkeypatch):
    monkeypatch.setattr(contacts, "MOST", 1)
    name(alice)

    response = alice.post("contact-add", {"address": OTHER, "name": "b"})

    assert "The address book is full" in Page(response).words


def test_everybody_of_the_account_reads_it_and_owners_write(alice: Wallet):
    contact = name(alice)
    viewer = join(alice, Role.VIEWER)

    assert "Rent" in words(viewer)
    assert "Remove" not in words(viewer)
    for form, data in (
        ("contact-remove", {"contact": contact.pk}),
        ("contact-add", {"address": OTHER, "name": "b"}),
        ("account-rename", {"name": "Mine"}),
    ):
        assert viewer.post(form, data).status_code == 403
    assert Contact.objects.get().name == "Rent"


def test_another_accounts_names_are_out_of_reach(alice: Wallet, bob: Wallet):
    contact = name(alice)

    for form in ("contact-rename", "contact-remove"):
        answer = bob.post(form, {"contact": contact.pk, "name": "taken"})
        assert answer.status_code == 400

    assert Contact.objects.get().name == "Rent"
    assert "Rent" not in words(bob)


# --- As a file --------------------------------------------------------------------------


def send_file(wallet: Wallet, text: str):
    file = SimpleUploadedFile("book.csv", text.encode(), content_type="text/csv")
    return wallet.post("contacts-import", {"file": file})


def test_a_file_is_taken_whole_and_known_addresses_keep_their_names(alice: Wallet):
    name(alice, "Known", OTHER)

    response = send_file(alice, f"{OTHER},Another\r\n{RECIPIENT},Rent\r\n")

    assert response.status_code == 302
    assert "1 added, 1 known already." in words(alice)
    assert set(Contact.objects.values_list("name", flat=True)) == {"Known", "Rent"}


def test_with_one_bad_line_nothing_is_taken(alice: Wallet):
    response = send_file(alice, f"{RECIPIENT},Rent\r\n0x12,b\r\n")

    assert response.status_code == 422
    assert "Line 2: An address has 40 characters" in Page(response).words
    assert not Contact.objects.exists()


def test_the_book_goes_out_as_a_file(alice: Wallet):
    name(alice, "=1+1")

    response = alice.get("contacts-export")

    assert response["Content-Type"] == "text/csv"
    assert response.content.decode() == f"address,name\r\n{RECIPIENT},'=1+1\r\n"


# --- Beside addresses -------------------------------------------------------------------


def test_send_offers_the_known_addresses(alice: Wallet):
    name(alice)

    page = Page(alice.get("send"))

    options = [item for tag, item in page.elements if tag == "option"]
    assert {"value": RECIPIENT, "label": "Rent"} in options


def test_the_review_shows_the_name_beside_the_whole_address(alice: Wallet):
    name(alice)
    op = make_review(alice)

    page = Page(alice.client.get(operation_url(op)))

    assert page.shown("recipient") == RECIPIENT
    assert "Rent in this account’s address book" in page.words


def test_the_activity_shows_the_name(alice: Wallet):
    name(alice)
    make_operation(alice, Status.INCLUDED)

    assert "Rent" in words(alice, "activity")
    assert "Rent" in words(alice, "safe-detail")


def test_a_first_payment_to_an_address_says_so(alice: Wallet):
    assert "Nothing was sent to this address" in review(alice, make_review(alice))

    make_operation(alice, Status.INCLUDED)

    again = make_review(alice, lane=7)
    assert "Nothing was sent to this address" not in review(alice, again)


def look_alike(address: str) -> str:
    digits = address.lower()[2:]
    return checksum_address(to_address(f"0x{digits[:4]}{'5' * 32}{digits[-4:]}"))


@pytest.mark.parametrize("known", ["named", "paid"])
def test_an_address_that_looks_like_a_known_one_is_warned_of(alice: Wallet, known):
    if known == "named":
        name(alice)
    else:
        make_operation(alice, Status.INCLUDED)

    seen = review(alice, make_review(alice, lane=7, recipient=look_alike(RECIPIENT)))

    assert "This address looks like another one" in seen
    assert ("as Rent" in seen) == (known == "named")


def test_the_known_one_itself_and_others_are_not(alice: Wallet):
    name(alice)

    for lane, address in enumerate((RECIPIENT, OTHER)):
        seen = review(alice, make_review(alice, lane=lane, recipient=address))
        assert "looks like another one" not in seen


def test_a_look_alike_that_has_a_name_of_its_own_is_meant(alice: Wallet):
    name(alice)
    name(alice, "Twin", look_alike(RECIPIENT))

    seen = review(alice, make_review(alice, recipient=look_alike(RECIPIENT)))

    assert "looks like another one" not in seen


# --- The account's own name -------------------------------------------------------------


def test_an_account_is_renamed_for_all_of_its_people(alice: Wallet):
    viewer = join(alice, Role.VIEWER)

    alice.post("account-rename", {"name": "Sav\u200bings"})

    assert Safe.objects.get(pk=alice.safe.pk).name == "Sav⟨U+200B⟩ings"
    assert "Sav⟨U+200B⟩ings" in words(viewer, "safe-detail")


@pytest.mark.parametrize("text", ["", "   ", "x" * 61])
def test_a_name_that_is_none_is_refused_in_words(alice: Wallet, text):
    before = alice.safe.name

    response = alice.client.post(
        alice.url("account-rename"), {"name": text}, follow=True
    )

    assert "Not renamed." in Page(response).words
    assert Safe.objects.get(pk=alice.safe.pk).name == before
