"""One restore at a time, and a sign for all processes while it is at work.

Both are files below the repository: they outlive the database that is exchanged, and the kernel lets go of the lock when its holder dies.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse

from .conf import backup_settings
from .native import BusyError


def _lock_file() -> Path:
    return backup_settings.state_folder / "restore.lock"


@contextlib.contextmanager
def restoring(subject: str) -> Iterator[None]:
    """Holds the right to restore. While it is held, :func:`is_restoring` tells so in every process.

    :raises BusyError: another restore is at work.
    """
    path = _lock_file()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError("busy", "another restore is at work", "Wait until it has ended; nothing needs to be unlocked by hand.") from None
        os.ftruncate(handle, 0)
        os.write(handle, f"{subject} {os.getpid()}\n".encode())
        yield
    finally:
        # The lock goes with the file handle.
        os.close(handle)


def is_restoring() -> bool:
    """Whether a restore is at work, in this or any other process of this host."""
    try:
        handle = os.open(_lock_file(), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(handle)


def unavailable() -> JsonResponse:
    """The answer while a restore is at work."""
    told = {"code": "restoring", "detail": "A backup is being restored.", "hint": "Try again in a moment."}
    return JsonResponse(told, status=503, headers={"Retry-After": str(backup_settings.RETRY_AFTER_SECONDS)})


class MaintenanceMiddleware:
    """Answers 503 with ``Retry-After`` while a restore is at work. Reading backups and restores through the API stays possible."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if is_restoring() and not self._is_watching(request):
            return unavailable()
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """While databases are exchanged, connections break: that is no error of the application."""
        return unavailable() if isinstance(error, (OperationalError, InterfaceError)) and is_restoring() else None

    def _is_watching(self, request: HttpRequest) -> bool:
        return request.method in ("GET", "HEAD") and "/backup/" in request.path
