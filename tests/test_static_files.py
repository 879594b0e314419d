"""Static files: hashed, followed through imports, pinned by integrity, all our own."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.http import HttpResponse
from django.template import Context, Template
from django.test import Client, RequestFactory, override_settings

from wallet_site.middleware import PrivacyHeadersMiddleware
from wallet_site.templatetags import static_integrity

STATIC = Path(settings.BASE_DIR) / "static"
MODULES = sorted(STATIC.glob("js/*.js"))
ENTRY = """import { authorize } from "./signing.js";
import {
  keccak256,
} from "./signing.js";
export { formatEther } from "./signing.js";
// Prose that says: import nothing from "./signing.js" without a reason
export const used = [authorize, keccak256];
"""
MANIFEST = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "wallet_site.storage.ModuleStaticFilesStorage"},
}
PLAIN = MANIFEST | {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
}


@pytest.fixture(scope="module")
def collected_root(tmp_path_factory):
    """The site's static files and one module more, collected as for serving."""
    source = tmp_path_factory.mktemp("source")
    (source / "js").mkdir()
    (source / "js" / "entry_of_this_test.js").write_text(ENTRY)
    root = tmp_path_factory.mktemp("collected")
    folders = [STATIC, source]
    with override_settings(
        STATIC_ROOT=root, STORAGES=MANIFEST, STATICFILES_DIRS=folders
    ):
        call_command("collectstatic", verbosity=0, interactive=False)
    return root


@pytest.fixture
def collected(collected_root, settings):
    settings.STATIC_ROOT = collected_root
    settings.STORAGES = MANIFEST
    return collected_root


class Attributes(HTMLParser):
    """The attributes of the one element in a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: dict[str, str | None] = {}
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found = {"element": tag, **dict(attrs)}


def rendered(tag: str) -> dict[str, str | None]:
    html = Template("{% load static_integrity %}" + tag).render(Context())
    return Attributes(html).found


def code_of(path: Path) -> str:
    """Return a script without its comments."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    return re.sub(r"(?m)(^|\s)//.*$", "", text)


def sha384(content: bytes) -> str:
    return "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode()


STAYS_HOME = {"source.css", "screenshot.png"}  # the stylesheet's source, the README's


def test_everything_is_collected_under_a_hashed_name(collected):
    for path in STATIC.rglob("*"):
        if path.is_file() and path.name not in STAYS_HOME:
            name = path.relative_to(STATIC).as_posix()
            stored = staticfiles_storage.stored_name(name)
            assert stored != name
            assert (collected / stored).is_file()


@pytest.mark.parametrize("name", sorted(STAYS_HOME))
def test_what_no_page_needs_is_not_collected(collected, name: str):
    assert (STATIC / "css" / name).exists() or (STATIC / "img" / name).exists()
    stem, _dot, ending = name.partition(".")
    assert not list(collected.rglob(f"{stem}*.{ending}"))


def test_every_relative_import_names_a_hashed_file(collected):
    entry = (
        collected / staticfiles_storage.stored_name("js/entry_of_this_test.js")
    ).read_text()
    signing = Path(staticfiles_storage.stored_name("js/signing.js")).name

    assert entry.count(f'from "./{signing}";') == 3
    assert 'import nothing from "./signing.js" without' in entry


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_the_imports_of_our_modules_resolve_to_collected_files(collected, path):
    stored = staticfiles_storage.stored_name(f"js/{path.name}")
    code = code_of(collected / stored)

    for name in re.findall(r"""from\s*["'](\.[^"']+)["']""", code):
        assert re.search(r"\.[0-9a-f]{12}\.js$", name), name
        assert (collected / "js" / name).is_file()


@pytest.mark.parametrize(
    ("tag", "element", "attribute"),
    [
        ("{% module_script 'js/entry_of_this_test.js' %}", "script", "src"),
        ("{% module_preload 'js/signing.js' %}", "link", "href"),
        ("{% script 'vendor/htmx.min.js' %}", "script", "src"),
    ],
)
@pytest.mark.django_db
def test_integrity_is_of_the_bytes_that_are_served(collected, tag, element, attribute):
    found = rendered(tag)

    served = Client(headers={"host": settings.SITE_HOST}).get(
        found[attribute], secure=settings.SITE_IS_HTTPS
    )

    assert found["element"] == element
    assert served.status_code == 200
    assert found["integrity"] == sha384(served.getvalue())


def test_integrity_is_taken_after_the_imports_were_rewritten(collected):
    found = rendered("{% module_script 'js/entry_of_this_test.js' %}")

    assert found["type"] == "module"
    assert found["integrity"] != sha384(ENTRY.encode())


def test_preload_and_classic_script_say_what_they_are(collected):
    assert rendered("{% module_preload 'js/signing.js' %}")["rel"] == "modulepreload"
    classic = rendered("{% script 'vendor/htmx.min.js' %}")
    assert "defer" in classic
    assert "type" not in classic


@override_settings(STORAGES=PLAIN)
def test_a_file_that_is_not_collected_is_pinned_by_its_source():
    found = rendered("{% module_script 'js/signing.js' %}")

    assert found["src"].endswith("/static/js/signing.js")
    assert found["integrity"] == sha384((STATIC / "js" / "signing.js").read_bytes())


@override_settings(STORAGES=PLAIN)
def test_a_missing_file_is_an_error_not_an_empty_hash():
    with pytest.raises(FileNotFoundError, match="no static file"):
        static_integrity.integrity("js/not-there.js")


@pytest.mark.parametrize("path", ["/", "/operations/1/", "/static/js/signing.js"])
def test_a_script_without_a_hash_is_blocked_on_every_page_of_ours(path):
    respond = PrivacyHeadersMiddleware(lambda request: HttpResponse())

    response = respond(RequestFactory().get(path))

    assert response["Integrity-Policy"] == "blocked-destinations=(script)"


def test_the_stock_admin_pages_keep_their_scripts():
    respond = PrivacyHeadersMiddleware(lambda request: HttpResponse())

    assert "Integrity-Policy" not in respond(RequestFactory().get("/admin/"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_no_module_needs_what_the_content_policy_forbids(path):
    code = code_of(path)

    assert not re.search(r"\beval\s*\(|\bnew\s+Function\b|\bFunction\s*\(", code)
    assert not re.search(r"\b(innerHTML|outerHTML|insertAdjacentHTML)\b", code)
    assert not re.search(r"\bdocument\.write|\bsrcdoc\b|\bjavascript:", code)
    assert not re.search(r"""\bsetAttribute\(\s*["']on|\.on[a-z]+\s*=[^=]""", code)
    assert not re.search(r"""\bset(Timeout|Interval)\(\s*["'`]""", code)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_every_import_and_re_export_ends_with_a_semicolon(path):
    code = code_of(path)

    for statement in re.findall(r"""(?m)^(?:import|export)\b[^;"']*["'].*$""", code):
        if "from" in statement:
            assert statement.rstrip().endswith(";"), statement


def test_only_two_modules_speak_to_the_passkey_and_one_of_them_with_32_bytes():
    asking = {path.name for path in MODULES if "credentials.get(" in code_of(path)}
    of_32_bytes = {
        path.name
        for path in MODULES
        if re.search(r"32[- ]byte|32 bytes|[=<>] 32\b", path.read_text())
    }

    assert asking <= {"signing.js", "webauthn.js"}
    assert of_32_bytes - {"webauthn.js"} == {"signing.js"}


def test_only_the_forms_that_authorize_bring_the_signing_module():
    importing = {path.name for path in MODULES if '"./signing.js"' in code_of(path)}
    importing_those = {
        path.name for path in MODULES if '"./signing_forms.js"' in code_of(path)
    }

    # What is only hashed and read out asks no passkey.
    assert importing == {"signing_forms.js", "recovery_words.js"}
    assert importing_those == set()


def test_the_signing_module_is_one_file_that_asks_nobody():
    code = code_of(STATIC / "js" / "signing.js")

    assert not re.search(r"(?m)^\s*import\b|\bimport\s*[({]|\bfrom\s*[\"']", code)
    assert not re.search(r"\bfetch\b|XMLHttpRequest|WebSocket|sendBeacon", code)
    assert not re.search(
        r"localStorage|sessionStorage|\bdocument\b|\bpostMessage", code
    )
    assert not re.search(r"\b(Number\.)?parseFloat\b|\bMath\.(round|pow)\b", code)


def test_no_file_fetches_anything_from_another_site():
    for path in [*MODULES, *STATIC.glob("vendor/*.js")]:
        assert not re.search(r"""["'`(](https?:)?//[\w-]""", code_of(path)), path.name
    for path in STATIC.glob("css/*.css"):
        css = path.read_text()
        assert not re.search(r"""url\(\s*["']?(https?:)?//""", css), path.name
        assert not re.search(r"""@import\s+(url\()?["'](https?:)?//""", css), path.name


def test_htmx_is_the_version_whose_defaults_the_templates_rely_on():
    text = (STATIC / "vendor" / "htmx.min.js").read_text()

    assert re.findall(r'\bversion="([^"]+)"', text) == ["4.0.1"]


def test_each_vendored_work_carries_its_licence():
    licences = {path.name for path in STATIC.glob("vendor/*.LICENSE")}

    assert licences == {"htmx.LICENSE", "noble-hashes.LICENSE"}
    signing = (STATIC / "js" / "signing.js").read_text()
    assert "static/vendor/noble-hashes.LICENSE" in signing
    assert "Copyright (c) 2022 Paul Miller" in signing
