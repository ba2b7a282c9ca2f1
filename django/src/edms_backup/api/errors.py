"""Errors as the API tells them: ``{"code", "detail", "hint"}``, and a status that fits."""

from __future__ import annotations

from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import JsonResponse
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from .. import native
from ..maintenance import is_restoring, unavailable

_STATUS: list[tuple[type[native.EngineError], int]] = [
    (native.UsageError, 400),
    (native.NotFoundError, 404),
    (native.BusyError, 409),
    (native.NotConfirmedError, 409),
    (native.ArchiveError, 422),
    (native.CancelledError, 409),
    (native.OutOfSpaceError, 507),
]


class Refused(APIException):
    """A request that is refused, with code and hint."""

    def __init__(self, status: int, code: str, detail: str, hint: str | None = None) -> None:
        super().__init__(detail, code)
        self.status_code = status
        self.hint = hint


def status_of(error: native.EngineError) -> int:
    """The HTTP status of an engine's failure; 503 for trouble with the database, the repository or the host."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 503)


def handle(error: Exception, context: dict[str, Any]) -> Response | JsonResponse | None:
    """Turns an exception into a response; None leaves it to Django."""
    if isinstance(error, native.EngineError):
        body = {"code": error.code, "detail": str(error), "hint": error.hint}
        return Response(body, status=status_of(error))
    if isinstance(error, (OperationalError, InterfaceError)) and is_restoring():
        # Databases are being exchanged; the project may not have the middleware.
        return unavailable()
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, ValidationError):
        body = {"code": "invalid", "detail": _told(response.data), "hint": "Correct what is named in fields.", "fields": response.data}
    else:
        body = {
            "code": _code(response.data, error),
            "detail": _told(response.data),
            "hint": getattr(error, "hint", None),
        }
    response.data = body
    return response


def _code(data: Any, error: Exception) -> str:
    detail = data.get("detail") if isinstance(data, dict) else None
    return getattr(detail, "code", None) or getattr(error, "default_code", "error")


def _told(data: Any) -> str:
    """What is wrong, in one line."""
    if isinstance(data, dict):
        if set(data) == {"detail"}:
            return str(data["detail"])
        return "; ".join(f"{name}: {_told(value)}" for name, value in data.items())
    if isinstance(data, list):
        return ", ".join(_told(item) for item in data)
    return str(data)
