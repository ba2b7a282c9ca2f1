"""Progress of a command: one line that is written anew on a terminal, a line now and then otherwise."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import CommandError, OutputWrapper

from ..native import EngineError, Progress

#: Seconds between lines that are not on a terminal.
_INTERVAL = 10.0


class ProgressLine:
    """Shows progress reports; ends with :meth:`close`."""

    def __init__(self, out: OutputWrapper, shown: bool) -> None:
        self._out = out
        self._shown = shown
        self._terminal = shown and out.isatty()
        self._printed = time.monotonic()
        self._phase = ""

    def __call__(self, progress: Progress) -> None:
        if not self._shown:
            return
        if self._terminal:
            self._out.write(f"\r\x1b[K{_line(progress)}", ending="")
            self._out.flush()
        elif progress["phase"] != self._phase or time.monotonic() - self._printed > _INTERVAL:
            self._out.write(_line(progress))
            self._phase, self._printed = progress["phase"], time.monotonic()

    def close(self) -> None:
        """Takes the line away."""
        if self._terminal:
            self._out.write("\r\x1b[K", ending="")


def size(count: float) -> str:
    """A number of bytes for people: ``1.4 GiB``."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.1f} {unit}" if unit != "B" else f"{count:.0f} B"
        count /= 1024
    return f"{count:.1f} TiB"


def command_error(error: EngineError | dict[str, Any], code: int = 1) -> CommandError:
    """An engine's failure as Django's commands tell it."""
    told = error if isinstance(error, dict) else error.as_dict()
    text = ": ".join([told["message"], *told["causes"]])
    if told["hint"]:
        text += f"\nhint: {told['hint']}"
    return CommandError(text, returncode=2 if told["code"] == "usage" else code)


def _line(progress: Progress) -> str:
    line = f"{progress['phase']}: {size(progress['bytes_done'])}"
    total, seconds = progress["bytes_total"], progress["phase_ms"] / 1000
    rate = progress["bytes_done"] / seconds if seconds else 0
    if total:
        line += f" of {size(total)}"
    if rate:
        line += f", {size(rate)}/s"
        if total and total > progress["bytes_done"]:
            line += f", {(total - progress['bytes_done']) / rate:.0f} s left"
    return line
