"""Log lines as JSON objects on standard error, one a line; no line repeats an exception's text or a caller's input."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

from idverify.audit.events import utc_text


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object: time, level, event and the fields given in `extra={"fields": …}`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": utc_text(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__qualname__
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
