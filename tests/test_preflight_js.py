"""static/js/preflight.js, run by Node's own test runner on what browsers say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "js" / "front_door"
MODULE = Path(__file__).parent.parent / "static" / "js" / "preflight.js"
# Far more than one user agent per rule: 30 at least was asked for.
LEAST_TESTS = 90
FRONT_DOOR = [
    "autofill.js",
    "front_door.js",
    "passkey_forms.js",
    "preflight.js",
    "webauthn.js",
]


def test_the_preflight_passes_every_test(tmp_path):
    node = shutil.which("node")
    assert node, "Node 20 or newer is needed to run tests/js"
    # Alone and under a name that Node takes for an ES module.
    module = shutil.copy(MODULE, tmp_path / "preflight.mjs")

    run = subprocess.run(
        [node, "--test", "--test-reporter=tap", str(FOLDER / "preflight.test.mjs")],
        env=os.environ | {"PREFLIGHT_MODULE": str(module)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr
    assert "\n# skipped 0\n" in run.stdout
    counted = re.search(r"\n# pass (\d+)\n", run.stdout)
    assert counted
    assert int(counted[1]) >= LEAST_TESTS


@pytest.mark.parametrize("name", FRONT_DOOR)
def test_old_browsers_can_parse_what_tells_them_that_they_are_old(name):
    text = (MODULE.parent / name).read_text()

    assert not re.search(r"\(\?<[=!]", text)  # lookbehind came with Safari 16.4
    assert not re.search(r"\bstatic\s*\{", text)  # so did blocks of this kind
    assert not re.search(r"(?m)^(?:const .*= )?await\b", text)  # Safari 15
