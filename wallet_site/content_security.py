"""What a page of this site may load: itself, and nothing of anybody else's (R27, R31).

Source: https://www.w3.org/TR/CSP3/. No inline script or style, no evaluation.
"""

from __future__ import annotations

SELF = "'self'"
NONE = "'none'"

DIRECTIVES = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF, "data:"],
    "connect-src": [SELF],
    "font-src": [SELF],
    "manifest-src": [SELF],
    "form-action": [SELF],
    "frame-ancestors": [NONE],
    "base-uri": [NONE],
}
