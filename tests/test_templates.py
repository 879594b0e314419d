"""The templates: all compile, none holds a script or style, each fragment is one root."""

from __future__ import annotations

import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import lucide
import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.staticfiles import finders
from django.template.loader import get_template, render_to_string
from django.test import RequestFactory

ROOT = Path(settings.BASE_DIR)
TEMPLATES = ROOT / "templates"
NAMES = sorted(str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.html"))
FRAGMENTS = [name for name in NAMES if re.fullmatch(r"onchain/_\w+\.html", name)]
STATIC_NAME = re.compile(
    r"""\{%\s*(?:static|module_preload|module_script|script)\s+["']([^"']+)["']"""
)
SIGNED = re.compile(
    r"""<(\w+)([^>]*data-signed="([\w-]+)"[^>]*)>(.*?)</(?:\1)>(?!<wbr>|<span)""",
    re.DOTALL,
)
ACCOUNT = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
RECIPIENT = "0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF"
LANDING_LIMIT = 100_000  # bytes, everything the page loads
VOID = {
    "br",
    "circle",
    "hr",
    "img",
    "input",
    "link",
    "meta",
    "path",
    "rect",
    "source",
    "wbr",
}
# What htmx 4 swaps unless told otherwise, and a fragment must survive (style.md 1.5).
LEFT_ALONE = {"hx-status:401", "hx-status:404", "hx-status:429", "hx-status:5xx"}


class Outline(HTMLParser):
    """Elements with their depth and attributes, and the text between them."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.depth = 0
        self.elements: list[tuple[int, str, dict[str, str]]] = []
        self.words: list[str] = []
        source = re.sub(r"\{#.*?#\}", "", source, flags=re.DOTALL)
        source = re.sub(r"\{%.*?%\}", " ", source, flags=re.DOTALL)
        self.feed(re.sub(r"\{\{.*?\}\}", "x", source, flags=re.DOTALL))

    def handle_starttag(self, tag, attrs):
        self.elements.append(
            (self.depth, tag, {key: value or "" for key, value in attrs})
        )
        if tag not in VOID:
            self.depth += 1

    def handle_startendtag(self, tag, attrs):
        self.elements.append(
            (self.depth, tag, {key: value or "" for key, value in attrs})
        )

    def handle_endtag(self, tag):
        if tag not in VOID:
            self.depth -= 1

    def handle_data(self, data):
        self.words.append(data)


@cache
def source_of(name: str) -> str:
    return (TEMPLATES / name).read_text()


@cache
def outline_of(name: str) -> Outline:
    return Outline(source_of(name))


def test_all_compile():
    for name in NAMES:
        get_template(name)  # its error names it


def test_none_holds_a_script_or_a_style():
    wrong = []
    for name in NAMES:
        for _, tag, attributes in outline_of(name).elements:
            if tag in {"style", "script"}:
                wrong.append((name, f"<{tag}>"))
            wrong += [
                (name, key, value)
                for key, value in attributes.items()
                if is_script_or_style(key, value)
            ]

    assert not wrong, wrong


def is_script_or_style(key: str, value: str) -> bool:
    """Say whether an attribute does what only a file of ours may do."""
    return (
        key == "style"
        or key.startswith(("on", "hx-on", "data-hx-on"))
        or value.lstrip().startswith(("javascript:", "js:"))
        or (key == "hx-trigger" and "[" in value)  # a trigger filter needs eval
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("style", "color: red"),
        ("onclick", "x()"),
        ("hx-on:click", "x()"),
        ("data-hx-on:click", "x()"),
        ("href", " javascript:x()"),
        ("hx-vals", "js:x()"),
        ("hx-trigger", "click[x]"),
    ],
)
def test_an_attribute_that_holds_a_script_or_a_style_is_found(key, value):
    assert is_script_or_style(key, value)


def test_none_asks_anything_of_another_site():
    wrong = {}
    for name in NAMES:
        source = source_of(name).replace('xmlns="http://www.w3.org/2000/svg"', "")
        asked = re.findall(r"https?://[^\s\"'<]+", source)
        asked += re.findall(r"""(?:src|href|action)=["']//""", source)
        if asked:
            wrong[name] = asked

    assert not wrong, wrong


def test_every_element_that_opens_also_closes():
    wrong = {name: outline_of(name).depth for name in NAMES if outline_of(name).depth}

    assert not wrong, wrong


def test_the_static_files_that_they_name_exist():
    missing = {
        name: path
        for name in NAMES
        for path in STATIC_NAME.findall(source_of(name))
        if not finders.find(path)
    }

    assert not missing, missing


def test_the_icons_that_they_name_exist():
    named = {
        icon
        for name in NAMES
        for icon in re.findall(
            r"""(?:\{%\s*lucide\s+|\bicon=)["']([^"']+)["']""", source_of(name)
        )
    }

    assert len(named) >= 10
    for icon in named:
        lucide._render_icon(icon, 24)  # its error names it


def test_their_forms_work_without_htmx():
    wrong = []
    for name in NAMES:
        forms = [form for _, tag, form in outline_of(name).elements if tag == "form"]
        for form in forms:
            if form.get("method") not in {"get", "post"} or not form.get("action"):
                wrong.append((name, form))
        posts = [form for form in forms if form.get("method") == "post"]
        if source_of(name).count("{% csrf_token %}") != len(posts):
            wrong.append((name, "csrf_token"))

    assert not wrong, wrong


def test_a_form_for_a_passkey_has_all_it_needs():
    wrong = []
    for name in NAMES:
        for form in re.findall(r"<form.*?</form>", source_of(name), re.DOTALL):
            kind = re.search(r'data-passkey="(\w+)"', form)
            if kind is None:
                continue
            where = "data-request" if kind[1] == "sign" else "data-(begin|options)"
            has_all = (
                re.search(f'{where}="', form)
                and '<input type="hidden" name="credential">' in form
                and "components/_passkey_error.html" in form
            )
            if not has_all:
                wrong.append((name, form))

    assert not wrong, wrong


def test_nothing_they_say_is_exclaimed():
    wrong = [name for name in NAMES if "!" in " ".join(outline_of(name).words)]

    assert not wrong, wrong


def test_there_are_fragments():
    assert len(FRAGMENTS) >= 4


def test_a_fragment_is_one_element_with_an_id():
    wrong = {}
    for name in FRAGMENTS:
        roots = [
            attributes
            for depth, _, attributes in outline_of(name).elements
            if depth == 0
        ]
        if len(roots) != 1 or not roots[0].get("id", "").endswith("-x"):
            wrong[name] = roots

    assert not wrong, wrong


def test_a_fragment_polls_by_morphing_and_survives_errors():
    wrong = {}
    for name in FRAGMENTS:
        _, _, attributes = outline_of(name).elements[0]
        is_right = (
            attributes.get("hx-swap") == "outerMorph"
            and attributes.get("hx-trigger", "").startswith("every ")
            and {attributes.get(key) for key in LEFT_ALONE} == {"swap:none"}
        )
        if not is_right:
            wrong[name] = attributes

    assert not wrong, wrong


def rendered_card(**facts: object) -> str:
    chain = SimpleNamespace(chain_id=31337, name="Local chain")
    safe = SimpleNamespace(pk=1, chain=chain, name="Mine", address_text=ACCOUNT)
    op = SimpleNamespace(
        pk=7,
        recipient=RECIPIENT,
        value_wei=250_000_000_000_000_000,
        max_cost_wei=100_000_000_000_000,
        valid_until=1_735_689_600,
        **facts,
    )
    request = {"allowCredentials": [{"id": "AA"}]}
    context = {"op": op, "safe": safe, "signing_request": request, "steps": []}
    return render_to_string("onchain/_operation_card.html", context)


def test_an_open_review_never_polls():
    review = rendered_card(status="awaiting_signatures", is_awaiting_network=False)
    waiting = rendered_card(status="submitted", is_awaiting_network=True)

    assert 'data-passkey="sign"' in review
    assert "hx-trigger" not in review
    assert 'hx-trigger="every 1s"' in waiting


@pytest.mark.parametrize("payer", ["sponsor", "account"])
def test_a_review_shows_every_field_that_is_signed(payer):
    page = rendered_card(
        status="awaiting_signatures",
        is_awaiting_network=False,
        is_sponsored=payer == "sponsor",
    )
    form = re.search(r'<form[^>]*data-passkey="sign".*?</form>', page, re.DOTALL)[0]
    shown = {}
    for tag, opening, name, inner in SIGNED.findall(form):
        assert name not in shown
        value = re.search(r'(?:data-value|datetime)="([^"]+)"', opening)
        text = re.sub(r"<[^>]+>", "", inner).strip()
        shown[name] = value[1] if value else text
        assert text, tag

    assert shown == {
        "recipient": RECIPIENT,
        "amount": "0.25 ETH",
        "account": ACCOUNT,
        "chain": "31337",
        "max-fee": "0.0001 ETH",
        "payer": payer,
        "valid-until": "2025-01-01T00:00:00+00:00",
    }


def test_a_page_has_one_polite_live_region():
    live = [
        name
        for name in NAMES
        for _, _, attributes in outline_of(name).elements
        if "aria-live" in attributes or attributes.get("role") == "status"
    ]

    assert live == ["base.html"]


@pytest.mark.parametrize("name", ["400.html", "403_csrf.html", "500.html"])
def test_an_error_page_needs_nothing_that_may_be_broken(name):
    page = render_to_string(name)

    assert "<h1" in page
    assert 'href="/static/css/app.css"' in page
    assert "<script" not in page


@pytest.mark.django_db
def test_the_landing_page_loads_in_under_100_kilobytes():
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    page = render_to_string("landing.html", request=request)
    urls = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)

    files = {finders.find(url.removeprefix("/static/")) for url in urls}
    size = len(page.encode()) + sum(Path(path).stat().st_size for path in files)

    assert len(files) >= 4
    assert "htmx" not in " ".join(urls)
    assert size < LANDING_LIMIT
