"""The help page: an answer for every question, anchors that hold, calm words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from tests.pages import Page

pytestmark = pytest.mark.django_db

TEMPLATES = Path(settings.BASE_DIR) / "templates"
ANSWERS = {  # criterion of the product: anchor, words that answer it
    "I-06": ("encrypted", "end to end"),
    "I-08": ("where", "Not even Apple or Google can read a key out of the chip"),
    "I-12": ("iphone", "Two-factor authentication"),
    "I-13": ("android", "two-step verification"),
    "I-14": ("phones-that-cannot", "Huawei and Honor, Xiaomi, vivo"),
    "I-15": ("delete", "Do not delete a passkey while an account on chain knows it"),
    "I-16": ("lost-phone", "choose “Sign in with passkey”"),
    "I-17": ("why-passkeys", "A password can be guessed and phished"),
    "I-18": ("export", "take it out"),
    "C-24": ("change-device", "iCloud Keychain does not come along"),
    "C-25": ("gone", "an owner or a guardian that depends on no domain"),
    "C-28 Apple": ("apple", "iCloud Keychain"),
    "C-28 Google": ("google", "Google Password Manager PIN"),
    "C-28 Windows Hello": ("windows-hello", "one computer"),
    "C-28 1Password": ("1password", "Secret Key"),
    "C-28 Bitwarden": ("bitwarden", "master password"),
    "C-28 Proton Pass": ("proton-pass", "recovery phrase"),
    "C-28 LastPass": ("lastpass", "account recovery"),
    "C-28 YubiKey": ("yubikey", "eight wrong PINs"),
    "C-29": (
        "browsers",
        "Safari 16.4, Chrome 111 (also Edge and Brave) or Firefox 128",
    ),
    "K-03": ("signs-in-only", "no account on chain knows it"),
    "K-08": ("phone-lock", "It does not authorize anything"),
    "K-13": ("recover", "You can recover"),
    "K-13, computed": ("recover", "What if something is lost or stolen"),
    "K-16": ("session", "Each payment needs its own touch"),
    "L-19": ("no-protection", "can unlock"),
    "L-21": ("sign-in-and-authorize", "they are not the same thing"),
    "security.md, 4": ("reports", "your passkey provider reports"),
}


@pytest.fixture
def page() -> Page:
    return Page(Client().get(reverse("help")))


def ids(page: Page) -> list[str]:
    return [
        attributes["id"] for _tag, attributes in page.elements if "id" in attributes
    ]


@pytest.mark.parametrize("criterion", ANSWERS)
def test_each_question_has_its_answer_under_its_anchor(criterion: str, page: Page):
    anchor, words = ANSWERS[criterion]

    _before, found, after = page.html.partition(f'id="{anchor}"')

    assert found
    answer = re.split(r"<(?:h2|dt)\b[^>]*\bid=", after)[0]
    assert words in " ".join(re.sub(r"<[^>]+>", " ", answer).split())


def test_every_link_within_the_page_leads_somewhere(page: Page):
    linked = {
        attributes["href"][1:]
        for tag, attributes in page.elements
        if tag == "a" and attributes.get("href", "").startswith("#")
    }

    assert len(linked) > 10
    assert linked <= set(ids(page))
    assert len(ids(page)) == len(set(ids(page)))


def test_every_anchor_that_other_pages_link_to_is_there(page: Page):
    linked = set()
    for path in TEMPLATES.rglob("*.html"):
        linked |= set(re.findall(r'{% url "help" %}#([\w-]+)', path.read_text()))

    assert {"lost-phone", "one-key"} <= linked <= set(ids(page))


def test_wide_tables_can_be_reached_and_scrolled_by_keyboard(page: Page):
    regions = [
        attributes
        for _tag, attributes in page.elements
        if attributes.get("role") == "region"
    ]

    assert page.html.count("<table") == len(regions) == 3
    for attributes in regions:
        assert attributes["tabindex"] == "0"
        assert attributes["aria-label"]


def test_the_words_are_calm_and_say_no_more_than_is_known(page: Page):
    main = page.html.partition("<main")[2]
    text = re.sub(r"<[^>]+>|{#.*?#}", " ", main)

    assert "!" not in text
    assert "biometric verified" not in text.lower()
    assert text.count("As of November 2026") == 2


def test_a_lost_phone_takes_three_numbered_steps(page: Page):
    _before, _found, after = page.html.partition('id="lost-phone"')
    steps = after.partition("<ol")[2].partition("</ol>")[0]

    assert steps.count("<li") == 3


@pytest.mark.parametrize("second", ["", "http://127.0.0.1:1"])
def test_one_node_alone_is_named_as_a_risk(second, settings):
    settings.SECOND_NODE_URL = second

    words = Page(Client().get(reverse("help"))).words

    assert ("reads the chain through one node" in words) == (not second)
