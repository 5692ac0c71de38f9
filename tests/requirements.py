"""What tests need beside the project: where it is looked for, and what happens when it is not on this machine."""

import os
from pathlib import Path
from typing import NoReturn

import pytest

SHARED = Path(__file__).parents[2] / "shared"


def missing(what: str) -> NoReturn:
    """Skip the test because `what` is not on this machine; fail it where nothing may be skipped."""
    if os.environ.get("IDVERIFY_REQUIRE_ALL") == "1":
        pytest.fail(f"{what}, and IDVERIFY_REQUIRE_ALL=1 allows no skipping", pytrace=False)
    pytest.skip(what)
