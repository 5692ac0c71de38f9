"""Portraits of people who do not exist, drawn from seeds for the demo, the tests and the documents.

It promises the same pixels for the same seeds and reads nothing but its arguments; it must not import idverify,
load a model or be shown a photograph.
"""

from citizens.capture import Capture
from citizens.identity import Identity, twin
from citizens.portrait import Portrait, portrait_jpeg, render

__all__ = ["Capture", "Identity", "Portrait", "portrait_jpeg", "render", "twin"]
