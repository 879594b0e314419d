"""What a person tells a key by, as another implementation computes it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onchain.protocol.errors import EncodingError
from onchain.protocol.p256 import key_fingerprint
from onchain.protocol.types import PublicKey
from tests import signing_oracle

COORDINATE = st.integers(min_value=0, max_value=2**256 - 1)


@given(x=COORDINATE, y=COORDINATE)
def test_a_fingerprint_is_the_ends_of_the_keys_hash(x, y):
    found = key_fingerprint(PublicKey(x=x, y=y))

    assert found == signing_oracle.fingerprint(x, y)
    assert [len(group) for group in found.split(" ")] == [4, 4, 4, 4]


@pytest.mark.parametrize(("x", "y"), [(-1, 0), (0, -1), (2**256, 0), (0, 2**256)])
def test_a_coordinate_that_is_none_has_no_fingerprint(x, y):
    with pytest.raises(EncodingError):
        key_fingerprint(PublicKey(x=x, y=y))
