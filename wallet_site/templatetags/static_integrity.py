"""Script tags that carry the hash of the very file the browser will get (R27).

Source: Subresource Integrity, https://www.w3.org/TR/SRI/. A static import has no place
for a hash of its own, so a page names each imported module in a modulepreload link
first: the browser keeps one copy per URL, and one that fails its hash runs nowhere.
"""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from pathlib import Path

from django import template
from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import (
    HashedFilesMixin,
    staticfiles_storage,
)
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def module_script(name: str) -> SafeString:
    """Return a script element that runs the static ES module ``name``."""
    return format_html(
        '<script type="module" src="{}" integrity="{}"></script>',
        staticfiles_storage.url(name),
        integrity(name),
    )


@register.simple_tag
def module_preload(name: str) -> SafeString:
    """Return a link that loads an imported module and pins what it may contain."""
    return format_html(
        '<link rel="modulepreload" href="{}" integrity="{}">',
        staticfiles_storage.url(name),
        integrity(name),
    )


@register.simple_tag
def script(name: str) -> SafeString:
    """Return a deferred script element for a static file that is not a module.

    Integrity-Policy only lets scripts in that are fetched with CORS, which modules
    are by themselves and this one by its attribute.
    """
    return format_html(
        '<script defer crossorigin="anonymous" src="{}" integrity="{}"></script>',
        staticfiles_storage.url(name),
        integrity(name),
    )


def integrity(name: str) -> str:
    """Return the integrity value of the static file ``name`` as it is served.

    Collected files are read after their imports were rewritten; a file under its plain
    name is read where the finders have it.

    Raises:
        FileNotFoundError: no such static file.
    """
    if isinstance(staticfiles_storage, HashedFilesMixin) and not settings.DEBUG:
        return collected_integrity(staticfiles_storage.stored_name(name))
    path = finders.find(name)
    if path is None:
        raise FileNotFoundError(f"no static file {name}")
    return digest(Path(path).read_bytes())


# A hashed name holds the hash of its content, so what is kept here cannot go stale.
@lru_cache(maxsize=64)
def collected_integrity(stored_name: str) -> str:
    """Return the integrity value of one collected file, by its hashed name."""
    with staticfiles_storage.open(stored_name) as file:
        return digest(file.read())


def digest(content: bytes) -> str:
    """Return ``sha384-`` and the base64 form of the content's SHA-384."""
    return f"sha384-{base64.b64encode(hashlib.sha384(content).digest()).decode()}"
