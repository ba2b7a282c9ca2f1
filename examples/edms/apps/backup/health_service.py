"""See :mod:`edms_backup.health_service`."""

from edms_backup.health_service import *  # noqa: F403
