"""The style: built from its source, and nothing in the source but the two themes."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
SOURCE = ROOT / "static" / "css" / "source.css"
BUILT = ROOT / "static" / "css" / "app.css"
TAILWIND = ROOT / "devchain" / "node_modules" / ".bin" / "tailwindcss"
ALLOWED = {"@import", "@source", "@plugin", "@theme"}


def top_level_rules(css: str) -> list[str]:
    """Return what stands before each top-level block or semicolon."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    rules, depth, start = [], 0, 0
    for place, character in enumerate(css):
        if character == "{":
            if depth == 0:
                rules.append(css[start:place].strip())
            depth += 1
        elif character == "}":
            depth -= 1
            start = place + 1
        elif character == ";" and depth == 0:
            rules.append(css[start:place].strip())
            start = place + 1
    return rules


def test_the_built_style_is_fresh(tmp_path):
    assert TAILWIND.exists(), "run `npm ci` in devchain/: the style cannot be checked"
    fresh = tmp_path / "app.css"

    subprocess.run(
        [TAILWIND, "--minify", "-i", SOURCE, "-o", fresh],
        check=True,
        capture_output=True,
        cwd=ROOT,
        timeout=60,
    )

    assert BUILT.read_text() == fresh.read_text(), (
        "static/css/app.css is stale; the command that builds it stands at the top of "
        "static/css/source.css"
    )


def test_no_rule_is_written_by_hand():
    rules = top_level_rules(SOURCE.read_text())

    assert {rule.split()[0] for rule in rules} <= ALLOWED
    assert "@apply" not in SOURCE.read_text()


def test_a_rule_written_by_hand_would_be_found():
    assert ".card" in top_level_rules("@theme { --a: 1; } .card { color: red; }")


def test_there_is_one_theme_for_light_and_one_for_dark():
    source = SOURCE.read_text()
    themes = re.findall(
        r'@plugin "[^"]*daisyui/theme[^"]*" \{(.*?)\n\}', source, re.DOTALL
    )

    assert len(themes) == 2
    light, dark = (dict(re.findall(r"([\w-]+): ([^;]+);", theme)) for theme in themes)
    assert (light["color-scheme"], dark["color-scheme"]) == ("light", "dark")
    assert light["default"] == dark["prefersdark"] == "true"
    assert light.keys() - {"default"} == dark.keys() - {"prefersdark"}


def test_the_style_asks_for_nothing_from_elsewhere():
    css = BUILT.read_text()
    targets = re.findall(r"(?:url\(|@import)\s*[\"']?([^\"')\s]+)", css)

    assert targets
    assert all(target.startswith(("data:", "%23")) for target in targets), targets
