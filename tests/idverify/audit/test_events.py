"""One event has one sequence of bytes, and nothing else parses as an event."""

import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import rfc8785

from idverify.audit.events import Event, EventKind, LeafDraft, parse, parse_fields, utc_text
from idverify.errors import AuditBroken
from idverify.ids import ClientId, Pseudonym

NOW = datetime(2026, 11, 21, 9, 30, 0, 123_999, tzinfo=UTC)


@pytest.fixture
def event() -> Event:
    draft = LeafDraft(
        event=EventKind.PERSON_VERIFIED,
        client=ClientId("revenue-authority"),
        person=Pseudonym("p-1"),
        purpose="payroll",
        decision="match",
        records={"templates/b": "bb", "templates/a": "aa"},
    )
    return draft.placed(7, NOW, b"sealed")


def test_the_canonical_form_is_that_of_rfc_8785() -> None:
    # RFC 8785, 3.2.2 to 3.2.4.
    content: Any = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 1e-27],
        "string": '€$\u000f\nA\'B"\\\\"/',
        "literals": [None, True, False],
    }
    expected = (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    assert rfc8785.dumps(content) == expected.encode()


def test_a_leaf_holds_every_field_in_order_and_utc_time(event: Event) -> None:
    content = json.loads(event.leaf())
    assert list(content) == sorted(item.name for item in fields(Event))
    assert content["time"] == "2026-11-21T09:30:00.123Z"
    assert content["sequence"] == 7
    assert content["station"] is None
    assert list(content["records"]) == ["templates/a", "templates/b"]


def test_a_leaf_parses_to_its_event(event: Event) -> None:
    parsed = parse(event.leaf())
    assert parsed == event
    assert parsed.event is EventKind.PERSON_VERIFIED
    assert parsed.sealed_detail == b"sealed"


def _with(**changes: object) -> bytes:
    content = json.loads(LeafDraft(event=EventKind.SERVICE_STARTED).placed(0, NOW).leaf())
    return rfc8785.dumps(content | changes)


def _without(name: str) -> bytes:
    content = json.loads(_with())
    del content[name]
    return rfc8785.dumps(content)


@pytest.mark.parametrize(
    "leaf",
    [
        b"",
        b"null",
        b"[]",
        b"\xff",
        _with() + b"\n",
        b" " + _with(),
        _with().replace(b'"clerk":null,', b"") + b"",
        _with(extra=1),
        _with(sequence=-1),
        _with(sequence="0"),
        _with(sequence=True),
        _with(sequence=0.5),
        _with(time=None),
        _with(event="person.forgotten"),
        _with(client=5),
        _with(records=[]),
        _with(records={"templates/a": 1}),
        _without("records"),
        _without("event"),
    ],
)
def test_anything_but_the_canonical_form_is_refused(leaf: bytes) -> None:
    with pytest.raises(AuditBroken):
        parse(leaf)


def test_times_are_utc_whatever_zone_they_come_in() -> None:
    assert utc_text(NOW.astimezone(timezone(timedelta(hours=3)))) == "2026-11-21T09:30:00.123Z"
    with pytest.raises(ValueError, match="time zone"):
        utc_text(NOW.replace(tzinfo=None))


@pytest.mark.parametrize(
    "text", ["plain", "\n\r\t\b\f\x00\x1f\x7f", 'quote " back \\ slash /', "€ ö \u2028 \U0001f600", ""]
)
def test_parse_fields_accepts_what_parse_accepts(text: str) -> None:
    draft = LeafDraft(event=EventKind.PERSON_READ, purpose=text, records={"templates/a": "aa", "persons/b": text})
    event = draft.placed(2**53 - 1, NOW)
    assert parse_fields(event.leaf()) == {item.name: getattr(parse(event.leaf()), item.name) for item in fields(Event)}


def test_parse_fields_refuses_what_parse_refuses(event: Event) -> None:
    leaf = event.leaf()
    content = json.loads(leaf)
    others = [
        leaf.replace(b'"client"', b' "client"'),
        leaf.replace(b'"sequence":7', b'"sequence":7.0'),
        leaf.replace(b'"sequence":7', b'"sequence":-7'),
        leaf.replace(b'"sequence":7', b'"sequence":true'),
        leaf.replace(b'"sequence":7', b'"sequence":9007199254740993'),
        leaf.replace(b'"sequence":7', b'"sequence":7,"sequence":7'),
        leaf.replace(b"person.verified", b"person.vanished"),
        leaf.replace(b'"purpose":"payroll"', b'"purpose":"pay\\u0072oll"'),
        leaf.replace(b'"purpose":"payroll"', b'"purpose":1'),
        leaf.replace(b'"purpose":"payroll"', b'"purpose":"\\ud800"'),
        leaf.replace(b'"aa"', b"null"),
        leaf.replace(b'"time":"2026', b'"time":null,"x":"2026'),
        leaf + b" ",
        b"[" * 100_000,
        b"",
        rfc8785.dumps([content]),
        rfc8785.dumps(content | {"more": 1}),
        rfc8785.dumps({name: value for name, value in content.items() if name != "clerk"}),
        json.dumps(content, indent=1).encode(),
        b"\xff" + leaf,
    ]
    for other in others:
        assert other != leaf
        with pytest.raises(AuditBroken):
            parse(other)
        with pytest.raises(AuditBroken):
            parse_fields(other)
