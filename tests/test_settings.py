"""`.env.example` and settings.py name the same settings."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TREE = ast.parse((ROOT / "wallet_site" / "settings.py").read_text())


def is_method_of_env(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == "env"
    )


def names_read_by_settings() -> set[str]:
    names = set()
    for node in ast.walk(TREE):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        first = node.args[0]
        if not isinstance(first, ast.Constant):
            continue  # inside secret(): the name is its argument
        if isinstance(node.func, ast.Name) and node.func.id == "secret":
            names |= {str(first.value), f"{first.value}_FILE"}
        elif is_method_of_env(node.func):
            names.add(str(first.value))
    return names


def names_in_the_example() -> list[str]:
    text = (ROOT / ".env.example").read_text()
    return re.findall(r"^#?([A-Z][A-Z0-9_]*)=", text, flags=re.MULTILINE)


def test_the_example_lists_exactly_the_names_that_settings_read():
    assert set(names_in_the_example()) == names_read_by_settings()


def test_the_example_lists_each_name_once():
    names = names_in_the_example()

    assert sorted(names) == sorted(set(names))


def test_the_example_changes_nothing_when_copied_whole():
    lines = (ROOT / ".env.example").read_text().splitlines()

    assert [line for line in lines if line and not line.startswith("#")] == []


def test_nothing_but_settings_reads_the_environment():
    readers = []
    for app in ("wallet_site", "accounts", "onchain"):
        for path in (ROOT / app).rglob("*.py"):
            text = path.read_text()
            if re.search(r"os\.getenv|os\.environ(\[|\.get)|Env\(\)", text):
                readers.append(path.relative_to(ROOT).as_posix())

    assert readers == ["wallet_site/settings.py"]
