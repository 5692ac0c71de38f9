"""What the check of a receipt raises is part of the error tree of the library, with the same codes."""

from api.problems import KINDS, kind_of
from idverify import errors
from idverify_receipts.errors import IdverifyError, InvalidInput, ReceiptInvalid


def test_the_library_builds_its_tree_on_these_errors() -> None:
    assert errors.IdverifyError is IdverifyError
    assert errors.InvalidInput is InvalidInput
    assert (IdverifyError.code, InvalidInput.code, ReceiptInvalid.code) == (
        "internal_error",
        "invalid_input",
        "receipt_invalid",
    )


def test_the_service_answers_a_false_receipt_as_invalid_input() -> None:
    assert kind_of(ReceiptInvalid("it is for another client")) == ("receipt_invalid", KINDS["invalid_input"])
