"""What all viewsets share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from drf_spectacular.openapi import AutoSchema
from rest_framework import viewsets
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request

from ..models import Job
from .errors import Refused, handle
from .permissions import BackupThrottle, StaffWithPermission


class Pages(PageNumberPagination):
    """50 at a time, up to 500."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 500


class BackupSchema(AutoSchema):
    """The tag of the API in the OpenAPI schema."""

    def get_tags(self) -> list[str]:
        return ["backup"]


class BackupViewSet(viewsets.GenericViewSet):
    """Permissions by action, throttling, pages, errors with code and hint."""

    permission_classes = [StaffWithPermission]
    throttle_classes = [BackupThrottle]
    pagination_class = Pages
    schema = BackupSchema()
    #: The permission, without the label, that each action needs.
    action_permissions: dict[str, str] = {}

    @classmethod
    def as_view(cls, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        # A restore exchanges the database below the connection: no request here may lie within one transaction.
        return transaction.non_atomic_requests(super().as_view(*args, **kwargs))

    def get_exception_handler(self) -> Callable[..., Any]:
        return handle

    def idempotency_key(self, request: Request) -> str | None:
        """The key of a request that starts work: the client's, made unique by user and action."""
        key = request.headers.get("Idempotency-Key")
        if not key:
            return None
        if len(key) > 60 or not key.isprintable():
            raise Refused(400, "bad_idempotency_key", "the idempotency key has more than 60 characters, or odd ones", "Send a UUID.")
        return f"{request.user.pk}:{self.action}:{key}"

    @staticmethod
    def started_before(model: type[Job], key: str | None) -> Any:
        """The job that an earlier request with this key has started."""
        return model.objects.filter(idempotency_key=key).first() if key else None
