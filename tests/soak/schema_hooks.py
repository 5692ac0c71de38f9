"""What no schema can say, told to Schemathesis: what a photograph is, and which names this deployment knows.

Half of the well-formed cases ask about people, galleries and purposes that there are; what is malformed stays as it is.
"""

import base64
import functools
import secrets
import zlib
from typing import Any

import schemathesis

from citizens import portrait_jpeg
from tests.deployments import wall

PEOPLE = tuple(f"S-{seed}" for seed in range(1, 7))
KEY = "Idempotency-Key"
KNOWN = {"gallery": ("demo-register", "demo-payroll"), "purpose": ("tax-filing",), "person": PEOPLE}


@schemathesis.hook
def map_case(context: schemathesis.HookContext, case: schemathesis.Case[Any]) -> schemathesis.Case[Any]:
    """Make a generated, well-formed case one with real photographs and, every other time, real names."""
    if case.meta is None or case.meta.generation.mode is not schemathesis.GenerationMode.POSITIVE:
        return case
    for place in (case.path_parameters, case.query, case.body):
        if isinstance(place, dict):
            place.update({name: _known(name, value) for name, value in place.items() if name in KNOWN})
    _show_photographs(case)
    return case


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]) -> None:
    """The same for the document's examples, which no `map_case` sees; and well-formed requests have keys of their own.

    The generator sends one Idempotency-Key with several requests, which no schema forbids and the service must refuse:
    tests/api/test_idempotency.py holds that.
    """
    if case.meta is None:
        return
    if case.meta.phase.name == "examples" and case.media_type == "application/json":
        _show_photographs(case)
    if case.meta.generation.mode is schemathesis.GenerationMode.POSITIVE and KEY in case.headers:
        case.headers[KEY] = secrets.token_hex(8) + case.headers[KEY][16:]


def _show_photographs(case: schemathesis.Case[Any]) -> None:
    if isinstance(case.body, dict):
        for name in {"image", "images"}.intersection(case.body):
            case.body[name] = _photographs(case.body[name], as_text=case.media_type == "application/json")


def _known(name: str, value: Any) -> Any:
    chance = zlib.crc32(repr(value).encode())
    return KNOWN[name][chance // 2 % len(KNOWN[name])] if chance % 2 else value


def _photographs(value: Any, *, as_text: bool) -> Any:
    if isinstance(value, list):
        return [_photographs(item, as_text=as_text) for item in value]
    photograph = _photograph(zlib.crc32(repr(value).encode()) % (len(PEOPLE) + 1))
    return base64.b64encode(photograph).decode() if as_text else photograph


@functools.cache
def _photograph(number: int) -> bytes:
    """Of one of the people, by another camera than the one that enrolled them; 0: of nobody."""
    return portrait_jpeg(number, 2) if number else wall()
