"""Checks the signed receipts of an idverify service offline, with its published keys.

This distribution is all that a holder of receipts needs: it imports nothing of the service. Start reading at
`idverify_receipts.checking`.
"""

__version__ = "0.1.0"
