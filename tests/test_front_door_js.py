"""What tells browsers apart and what waits behind a field, run by Node's test runner."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "js" / "front_door"
MODULES = Path(__file__).parent.parent / "static" / "js"
LEAST_TESTS = {"preflight.test.mjs": 90, "autofill.test.mjs": 15}
FRONT_DOOR = [
    "autofill.js",
    "front_door.js",
    "passkey_forms.js",
    "preflight.js",
    "webauthn.js",
]


@pytest.mark.parametrize("name", LEAST_TESTS)
def test_the_front_door_passes_every_test_of(name, tmp_path):
    node = shutil.which("node")
    assert node, "Node 20 or newer is needed to run tests/js"
    # Under a name that Node takes for an ES module, and alone.
    module = shutil.copy(MODULES / "preflight.js", tmp_path / "preflight.mjs")

    run = subprocess.run(
        [node, "--test", "--test-reporter=tap", str(FOLDER / name)],
        env=os.environ
        | {
            "PREFLIGHT_MODULE": str(module),
            "MODULES": str(MODULES),
            "TMPDIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr
    assert "\n# skipped 0\n" in run.stdout
    counted = re.search(r"\n# pass (\d+)\n", run.stdout)
    assert counted
    assert int(counted[1]) >= LEAST_TESTS[name]


@pytest.mark.parametrize("name", FRONT_DOOR)
def test_old_browsers_can_parse_what_tells_them_that_they_are_old(name):
    text = (MODULES / name).read_text()

    assert not re.search(r"\(\?<[=!]", text)  # lookbehind came with Safari 16.4
    assert not re.search(r"\bstatic\s*\{", text)  # so did blocks of this kind
    assert not re.search(r"(?m)^(?:const .*= )?await\b", text)  # Safari 15
