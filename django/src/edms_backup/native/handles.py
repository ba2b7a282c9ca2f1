"""Calls and job handles. Every call lets go of the interpreter lock while it is in the library."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any, TypedDict

from ._library import ffi, lib
from .errors import WrongProcessError, error_from

Request = Mapping[str, Any]


class Progress(TypedDict):
    """How far a job is. Bytes are those of the phase; ``bytes_total`` is None where it is not known."""

    state: str
    phase: str
    bytes_done: int
    bytes_total: int | None
    phase_ms: int
    elapsed_ms: int
    cancelling: bool
    warnings: list[str]


if lib.backup_abi_version() != lib.BACKUP_ABI_VERSION:
    raise ImportError(f"the library speaks version {lib.backup_abi_version()}, this package version {lib.BACKUP_ABI_VERSION}")


def version() -> str:
    """Version of the engine, such as ``0.1.0``."""
    return ffi.string(lib.backup_version()).decode()


def run(command: str, request: Request) -> Any:
    """Does what ``request`` asks for in this thread, and gives the result.

    :raises EngineError: of the kind that fits.
    """
    out = ffi.new("char **")
    error = ffi.new("backup_error **")
    status = lib.backup_run(command.encode(), _encoded(request), out, error)
    _check(status, error)
    return _taken(out[0])


def start(command: str, request: Request) -> Job:
    """Starts ``request`` in a thread of the library. What is wrong with the request itself is raised at once."""
    out = ffi.new("backup_job **")
    error = ffi.new("backup_error **")
    status = lib.backup_job_start(command.encode(), _encoded(request), out, error)
    _check(status, error)
    return Job(out[0])


class Job:
    """A request that is being carried out. Made by :func:`start`; a context manager that cancels what still runs when it is left.

    It belongs to the process that started it: in a child made by ``os.fork`` its methods raise :class:`WrongProcessError`.
    """

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self._process = os.getpid()
        self._calls = threading.Condition()
        self._in_use = 0

    def progress(self) -> Progress:
        """How far it is."""
        with self._borrowed() as handle:
            out = ffi.new("char **")
            error = ffi.new("backup_error **")
            _check(lib.backup_job_progress(handle, out, error), error)
            return _taken(out[0])

    def cancel(self) -> None:
        """Asks it to stop. It cleans up and ends soon; :meth:`result` then raises :class:`CancelledError`."""
        with self._borrowed() as handle:
            error = ffi.new("backup_error **")
            _check(lib.backup_job_cancel(handle, error), error)

    def wait(self, timeout: float | None = None) -> bool:
        """Waits for its end, at most ``timeout`` seconds. True: it has ended, well or not."""
        with self._borrowed() as handle:
            error = ffi.new("backup_error **")
            status = lib.backup_job_wait(handle, -1 if timeout is None else max(0, int(timeout * 1000)), error)
            if status == lib.BACKUP_RUNNING:
                lib.backup_error_free(error[0])
                return False
            _check(status, error)
            return True

    def result(self) -> Any:
        """What it came to, as often as it is asked.

        :raises RunningError: it has not ended yet.
        :raises CancelledError: it was cancelled.
        :raises EngineError: of the kind that fits, when it failed.
        """
        with self._borrowed() as handle:
            out = ffi.new("char **")
            error = ffi.new("backup_error **")
            _check(lib.backup_job_result(handle, out, error), error)
            return _taken(out[0])

    def close(self) -> None:
        """Frees it; one that still runs is cancelled, and its end is waited for. May be called again."""
        with self._calls:
            handle, self._handle = self._handle, None
            if handle is None:
                return
            if os.getpid() == self._process and self._in_use:
                lib.backup_job_cancel(handle, ffi.NULL)
                self._calls.wait_for(lambda: self._in_use == 0)
        lib.backup_job_free(handle)

    def __enter__(self) -> Job:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_handle", None) is not None:
            self.close()

    def _borrowed(self) -> _Borrowed:
        return _Borrowed(self)


class _Borrowed:
    """Keeps a handle from being freed while a call uses it."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def __enter__(self) -> Any:
        if os.getpid() != self._job._process:
            # Before the lock: another thread may have held it when this process was forked.
            raise WrongProcessError("wrong_process", "the job belongs to the process that started it, not to its child")
        with self._job._calls:
            if self._job._handle is None:
                raise ValueError("the job is closed")
            self._job._in_use += 1
            return self._job._handle

    def __exit__(self, *_: object) -> None:
        with self._job._calls:
            self._job._in_use -= 1
            self._job._calls.notify_all()


def _encoded(request: Request) -> bytes:
    return json.dumps(request, default=os.fspath).encode()


def _taken(text: Any) -> Any:
    """The value of a JSON string of the library, which is freed."""
    try:
        return json.loads(ffi.string(text))
    finally:
        lib.backup_string_free(text)


def _check(status: int, error: Any) -> None:
    """Raises what a call tells, unless it is fine."""
    if status == lib.BACKUP_OK:
        return
    try:
        details = json.loads(ffi.string(lib.backup_error_json(error[0])))
    finally:
        lib.backup_error_free(error[0])
    raise error_from(status, details)
