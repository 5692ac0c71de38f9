"""`python -m idverify_receipts` is the command `idverify-receipts`."""

import sys

from idverify_receipts.command import main

if __name__ == "__main__":
    sys.exit(main())
