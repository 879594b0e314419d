"""Hashed static files whose names are also followed in our own ES modules."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage

# The semicolon is required, so prose never matches; only our own js/ folder is read,
# because vendored files carry import expressions in comments.
MODULE_IMPORT = (
    r"""(?m)(?P<matched>(?P<head>^(?:import|export)\b[^;]*?from\s*)"""
    r"""["'](?P<url>\.[^"']+)["'];)"""
)


class ModuleStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Hashed names, extended to relative imports of ``js/*.js``, and gzipped copies."""

    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        ("js/*.js", ((MODULE_IMPORT, '%(head)s"%(url)s";'),)),
    )
