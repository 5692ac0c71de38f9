"""`idverify-receipts verify …`: says whether a signed answer is genuine and what it claims.

Exit statuses and words are those of `idverify receipt verify`; it opens no deployment, asks no service and no network.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from idverify_receipts.errors import IdverifyError, InvalidInput, ReceiptInvalid
from idverify_receipts.verdict import (
    NOT_GENUINE_EXIT,
    claim_rows,
    false_verdict,
    genuine_claims,
    genuine_verdict,
    keys_in,
    text_in,
)

ERROR_EXIT = 2
"""A file or an option that cannot be used: no verdict. argparse ends with the same status."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command (`arguments`: those of the process); the exit status."""
    given = _parser().parse_args(arguments)
    try:
        return _verify(given.file, given.jwks, given.photograph, given.audience)
    except InvalidInput as error:
        return _complain(error)
    except OSError as error:
        return _complain(InvalidInput(f"{error.filename}: {error.strerror}" if error.filename else str(error)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="idverify-receipts", description="Receipts: the signed answers that agencies keep. Checked offline."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    told = "Say whether a receipt is genuine and what it claims. Exit status 0: genuine (expired or not); 20: not."
    verify = commands.add_parser("verify", help=told, description=told)
    verify.add_argument("file", type=Path, help="The receipt (compact JWS), or the whole answer as JSON.")
    verify.add_argument(
        "--jwks", type=Path, required=True, metavar="FILE", help="Keys as /.well-known/jwks.json gave them."
    )
    verify.add_argument(
        "--photograph",
        type=Path,
        metavar="FILE",
        help="The photograph that was asked about, to compare with the receipt's digest.",
    )
    verify.add_argument("--audience", metavar="CLIENT", help="The client that the answer must be for.")
    return parser


def _verify(file: Path, jwks: Path, photograph: Path | None, audience: str | None) -> int:
    try:
        claims = genuine_claims(text_in(file), keys_in(jwks), photograph=photograph, audience=audience)
    except ReceiptInvalid as error:
        print(false_verdict(error))
        return NOT_GENUINE_EXIT
    rows = claim_rows(claims)
    widest = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:{widest}}  {value}")
    print(genuine_verdict(claims, datetime.now(UTC)))
    return 0


def _complain(error: IdverifyError) -> int:
    print(f"error ({error.code}): {error}", file=sys.stderr)
    return ERROR_EXIT
