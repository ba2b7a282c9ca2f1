"""See :mod:`edms_backup.services.backup_service`."""

from edms_backup.services.backup_service import *  # noqa: F403
