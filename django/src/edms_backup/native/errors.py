"""Failures of the engine as exceptions: one class for each kind, all of them :class:`EngineError`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class EngineError(Exception):
    """A request failed. ``str()`` is the message with its causes."""

    def __init__(self, code: str, message: str, hint: str | None = None, causes: list[str] | None = None) -> None:
        super().__init__(message)
        #: Stable, machine-readable name of the kind of error, such as ``no_repository``.
        self.code = code
        #: What went wrong, without its causes.
        self.message = message
        #: What to do about it, if there is something to say.
        self.hint = hint
        #: The causes, nearest first.
        self.causes = causes or []

    def __str__(self) -> str:
        return ": ".join([self.message, *self.causes])

    def as_dict(self) -> dict[str, Any]:
        """The error as the command line's ``--json`` prints it."""
        return {"code": self.code, "message": self.message, "hint": self.hint, "causes": self.causes}


class UsageError(EngineError):
    """The request or the configuration makes no sense, whatever the state of the system."""


class NotConfirmedError(EngineError):
    """Something in use would be replaced, and ``force`` was not given."""


class NotFoundError(EngineError):
    """No such backup, archive, entry, repository or restore."""


class BusyError(EngineError):
    """Another job is at work on the same thing."""


class ArchiveError(EngineError):
    """The archive is damaged, hostile, of a newer version, or not an archive."""


class OutOfSpaceError(EngineError):
    """There is no space left where it was needed."""


class CancelledError(EngineError):
    """The job was cancelled; it left nothing behind."""


class RunningError(EngineError):
    """The job has not ended yet."""


class WrongProcessError(EngineError):
    """The job belongs to the process from which this one was forked."""


class LibraryPanic(EngineError):
    """The library has a bug."""


_BY_STATUS: Mapping[int, type[EngineError]] = {
    2: UsageError,
    3: RunningError,
    4: CancelledError,
    5: WrongProcessError,
    99: LibraryPanic,
}

_BY_CODE: Mapping[str, type[EngineError]] = {
    **dict.fromkeys(
        ["usage", "config_unreadable", "config_malformed", "config_value", "config_database", "no_database", "no_files", "bad_path"], UsageError
    ),
    "not_confirmed": NotConfirmedError,
    **dict.fromkeys(["not_found", "no_repository", "no_such_backup", "no_such_restore", "no_such_entry", "no_such_table"], NotFoundError),
    **dict.fromkeys(["busy", "unfinished_restore"], BusyError),
    **dict.fromkeys(
        [
            "not_an_archive",
            "not_a_backup",
            "not_a_file",
            "hostile_archive",
            "archive_limit",
            "archive_newer",
            "manifest_damaged",
            "damaged",
            "written_damaged",
            "not_in_backup",
        ],
        ArchiveError,
    ),
    "no_space": OutOfSpaceError,
}


def error_from(status: int, details: Mapping[str, Any]) -> EngineError:
    """The exception for a status of the C interface and what its error handle tells."""
    code = str(details["code"])
    kind = _BY_STATUS.get(status) or _BY_CODE.get(code, EngineError)
    return kind(code, str(details["message"]), details.get("hint"), list(details.get("causes", [])))
