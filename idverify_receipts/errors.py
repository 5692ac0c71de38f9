"""The root of the errors of idverify, and those that the check of a receipt raises; each has a stable code.

They stand here because this distribution is the lowest: `idverify.errors` builds its tree on them. This module imports
nothing, so that whoever needs an error alone loads no cryptography with it.
"""

from typing import ClassVar


class IdverifyError(Exception):
    """Root of the tree; `code` is stable across versions."""

    code: ClassVar[str] = "internal_error"


class InvalidInput(IdverifyError):
    """The caller sent something that can never be processed as it is."""

    code = "invalid_input"


class ReceiptInvalid(InvalidInput):
    """Not a receipt, not signed by one of the given keys, or not what the answer beside it says."""

    code = "receipt_invalid"
