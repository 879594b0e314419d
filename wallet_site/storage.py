"""Hashed static files whose names are also followed in our own ES modules."""

from __future__ import annotations

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage

# The semicolon is required, so prose never matches; only our own js/ folder is read,
# because vendored files carry import expressions in comments.
MODULE_IMPORT = (
    r"""(?m)(?P<matched>(?P<head>^(?:import|export)\b[^;]*?from\s*)"""
    r"""["'](?P<url>\.[^"']+)["'];)"""
)


class ModuleStaticFilesStorage(ManifestStaticFilesStorage):
    """Django's manifest storage, extended to relative imports of ``js/*.js``."""

    patterns = (
        *ManifestStaticFilesStorage.patterns,
        ("js/*.js", ((MODULE_IMPORT, '%(head)s"%(url)s";'),)),
    )
