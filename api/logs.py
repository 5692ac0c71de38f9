"""Writes log lines as JSON objects on standard error, one a line, of nothing but what the lists below allow.

Neither we nor a library can put a person, a photograph, a header, an SQL value or an exception's text into a line: a
field or an event that is not on a list is withheld, and the line says where in the source it was written.
"""

import json
import logging
import os
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from idverify.audit.events import utc_text

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The request that is being answered, in whatever thread or library a line is written."""

FIELDS = frozenset(
    {
        "client",
        "duration_ms",
        "error",
        "frames",
        "message",
        "method",
        "outcome",
        "reason",
        "request_id",
        "route",
        "status",
    }
)
"""Fields that a line may have, from `extra={"fields": …}`: no person's number, no path, no body, no header."""

EVENTS = frozenset({"request", "failure"})
"""What our own code logs; whatever varies goes into fields."""

LIBRARY_EVENTS = frozenset(
    {
        "Started server process [%d]",
        "Finished server process [%d]",
        "Waiting for application startup.",
        "Application startup complete.",
        "Application startup failed. Exiting.",
        "Waiting for application shutdown.",
        "Application shutdown complete.",
        "Application shutdown failed. Exiting.",
        "Uvicorn running on %s://%s:%d (Press CTRL+C to quit)",
        "Uvicorn running on %s://[%s]:%d (Press CTRL+C to quit)",
        "Shutting down",
        "Waiting for connections to close. (CTRL+C to force quit)",
        "Waiting for background tasks to complete. (CTRL+C to force quit)",
        "Cancel %s running task(s), timeout graceful shutdown exceeded",
        "Invalid HTTP request received.",
        "Unsupported upgrade request.",
        "ASGI callable returned without starting response.",
        "ASGI callable returned without completing response.",
    }
)
"""uvicorn's messages that hold nothing of a caller, as its source spells them; addresses and counts are filled in."""
_WITHHELD = "(withheld)"
_LONGEST_TEXT = 300


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object: time, level, event, request id and the fields that are allowed."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": utc_text(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "event": _event(record),
        }
        if line["event"] == _WITHHELD:
            line["logger"], line["source"] = record.name, f"{record.module}:{record.lineno}"
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__qualname__
        if (request_id := REQUEST_ID.get()) is not None:
            line["request_id"] = request_id
        given = getattr(record, "fields", {})
        line.update((name, _allowed(value)) for name, value in given.items() if name in FIELDS)
        return json.dumps(line, ensure_ascii=False)


def configuration() -> dict[str, Any]:
    """For `logging.config.dictConfig`; uvicorn's access log, which would hold paths with person numbers, is silent."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonLines}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"level": "WARNING", "handlers": ["stderr"]},
        "loggers": {
            "idverify": {"level": "INFO"},
            "uvicorn": {"level": "INFO"},
            "uvicorn.access": {"level": "CRITICAL"},
        },
    }


def _event(record: logging.LogRecord) -> str:
    if isinstance(record.msg, OSError) and record.msg.errno is not None and record.name == "uvicorn.error":
        return os.strerror(record.msg.errno)  # "Address already in use" is what an operator must read
    message = str(record.msg)
    if record.name.partition(".")[0] == "idverify":
        return message if message in EVENTS and not record.args else _WITHHELD
    if record.name.partition(".")[0] == "uvicorn" and message in LIBRARY_EVENTS:
        return record.getMessage()
    return _WITHHELD


def _allowed(value: object) -> object:
    """The value when it is a number, a short text or a list of such; nothing else is written out by its own str()."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return str(value[:_LONGEST_TEXT])
    if isinstance(value, list):
        return [_allowed(item) for item in value]
    return _WITHHELD
