"""Who may do what: staff only, and each action its own permission."""

from __future__ import annotations

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import UserRateThrottle
from rest_framework.views import APIView

from ..conf import backup_settings


class StaffWithPermission(BasePermission):
    """Staff that have the permission which the view names for its action in ``action_permissions``."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = request.user
        if not (user and user.is_authenticated and user.is_staff):
            return False
        needed = getattr(view, "action_permissions", {}).get(getattr(view, "action", None))
        return needed is None or user.has_perm(f"backup.{needed}")


class BackupThrottle(UserRateThrottle):
    """Requests of one user, at the rate of the setting ``THROTTLE_RATE``."""

    scope = "edms_backup"

    def get_rate(self) -> str | None:
        return backup_settings.THROTTLE_RATE
