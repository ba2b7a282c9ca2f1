"""See :mod:`edms_backup.services`."""
