"""eth_account, without a curve that nothing here uses.

Its key files may hold validators' keys, so it loads the pairings of BLS12-381, which
takes a third of the time that every process here needs to start. Nothing of ours reads
or writes a key file: while eth_keyfile is imported, two names stand for that curve.
Whoever wants the curve itself can still import it afterwards.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

# The order of the curve's groups; tests/test_settings.py compares it with the curve's.
CURVE_ORDER = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
STAND_INS: dict[str, dict[str, Any]] = {
    "py_ecc.bls": {"G2ProofOfPossession": None},
    "py_ecc.bls12_381": {"curve_order": CURVE_ORDER},
}


def import_key_files() -> None:
    """Import eth_keyfile with the names in place of the curve, once."""
    if not sys.modules.keys().isdisjoint({*STAND_INS, "eth_keyfile"}):
        return
    for name, values in STAND_INS.items():
        module = sys.modules[name] = ModuleType(name)
        vars(module).update(values)
    try:
        importlib.import_module("eth_keyfile")
    finally:
        for name in STAND_INS:
            del sys.modules[name]
