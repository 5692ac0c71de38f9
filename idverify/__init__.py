"""idverify: a photograph becomes a sealed face template, and a decision that can be proven.

The library holds no HTTP and no HTML; start reading at `idverify.engine`.
"""

__version__ = "0.1.0"
