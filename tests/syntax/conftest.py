"""The fixture of the tests of the syntax."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from desugaring import Stub


@pytest.fixture
def stub() -> Iterator[Stub]:
    made = Stub()
    yield made
    made.con.close()
