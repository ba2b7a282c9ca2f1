"""See :mod:`edms_backup.services.restore_service`."""

from edms_backup.services.restore_service import *  # noqa: F403
