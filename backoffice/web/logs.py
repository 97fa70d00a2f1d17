"""Structured logs on standard error: one JSON object per line, or aligned words for a terminal."""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.types import Processor


class StandardError(logging.Handler):
    """Write to whatever standard error is now: it may have been replaced since start-up."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        try:
            sys.stderr.write(self.format(record) + "\n")
        except Exception:  # logging's own contract: a line that cannot be written never breaks the work
            self.handleError(record)


def configure(*, as_json: bool, level: int = logging.INFO) -> None:
    """Send our own and every library's log lines through one format. Safe to call again."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,  # a test may configure anew
    )
    final: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if as_json:
        final += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        final.append(structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback))
    handler = StandardError()
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=final))
    handler.set_name("shopfloor")
    root = logging.getLogger()
    root.handlers = [kept for kept in root.handlers if kept.get_name() != "shopfloor"] + [handler]
    root.setLevel(level)
    for name in ("alembic", "sqlalchemy.engine", "stripe", "werkzeug"):  # they speak of each step
        logging.getLogger(name).setLevel(logging.WARNING)
