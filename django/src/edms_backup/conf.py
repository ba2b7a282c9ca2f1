"""The setting ``EDMS_BACKUP``: one dictionary, defaults in one place.

Where a key is not set, the environment variables of the command line count (``BACKUP_ROOT``, ``BACKUP_RETENTION_DAYS``), then the default.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.conf import settings as project

DEFAULTS: dict[str, Any] = {
    # Folder of the backups.
    "REPOSITORY": "/var/backups/edms",
    # Alias in DATABASES of the database that is backed up.
    "DATABASE": "default",
    # Further file roots: name -> folder. Storages of the project's file fields are found by themselves.
    "FILES": {},
    # Find MEDIA_ROOT and the storages of the project's file fields.
    "FIND_FILES": True,
    # Columns that hold the SHA-256 of a file field's content: "app.Model.field" -> name of the other field.
    "CHECKSUMS": {},
    # System configuration files that belong to a full backup.
    "SYSTEM_FILES": [],
    # Further rules for what must not travel in an export package, as [[sanitize.rules]] of the configuration file.
    "SANITIZE_RULES": [],
    # Public keys that archives are sealed for, one age1… per line; needed for encryption.
    "RECIPIENTS_FILE": None,
    # The private key that opens sealed archives: for restoring and checking them here. Making backups needs none.
    "IDENTITY_FILE": None,
    # Threads and database connections of one job; None: as many as there are processors.
    "JOBS": None,
    # How a database in use is restored: "swap", "replace", or None: what the role is allowed to.
    "RESTORE_INTO": None,
    # Accept file roots that are empty or shrank sharply since the last backup.
    "ALLOW_SHRUNKEN": False,
    # How long backups of new configurations are kept.
    "RETENTION_DAYS": 30,
    # What carries out jobs that requests start: an import path.
    "RUNNER": "edms_backup.runners.ThreadRunner",
    # How often a running job says that it is alive, and after what silence it counts as dead.
    "HEARTBEAT_SECONDS": 2.0,
    "STALE_SECONDS": 60.0,
    # Uploads: where to (None: below the repository), and how large.
    "UPLOAD_FOLDER": None,
    "MAX_UPLOAD_BYTES": 20 << 30,
    # Let the web server send downloads: "X-Accel-Redirect" or "X-Sendfile"; the prefix is put before the archive's file name (the former).
    "SENDFILE_HEADER": None,
    "SENDFILE_PREFIX": "/protected-backups/",
    # Requests of one user; None: no limit.
    "THROTTLE_RATE": "120/min",
    # Seconds that a client is told to wait while a restore exchanges the database.
    "RETRY_AFTER_SECONDS": 30,
}

_ENVIRONMENT = {"REPOSITORY": "BACKUP_ROOT", "RETENTION_DAYS": "BACKUP_RETENTION_DAYS"}


class BackupSettings:
    """Reads ``EDMS_BACKUP`` anew each time, so that ``override_settings`` works."""

    @property
    def given(self) -> dict[str, Any]:
        """What the project has set."""
        return getattr(project, "EDMS_BACKUP", {})

    def __getattr__(self, name: str) -> Any:
        if name not in DEFAULTS:
            raise AttributeError(f"EDMS_BACKUP has no key {name!r}")
        if name in self.given:
            return self.given[name]
        variable = os.environ.get(_ENVIRONMENT.get(name, ""))
        if variable:
            return int(variable) if isinstance(DEFAULTS[name], int) else variable
        return DEFAULTS[name]

    @property
    def repository(self) -> Path:
        """Folder of the backups."""
        return Path(self.REPOSITORY)

    @property
    def state_folder(self) -> Path:
        """Folder of locks and of the sign that a restore is at work. It is on disk because it must outlive an exchanged database."""
        return self.repository / "django"

    @property
    def upload_folder(self) -> Path:
        """Folder that uploads are written to."""
        return Path(self.UPLOAD_FOLDER) if self.UPLOAD_FOLDER else self.state_folder / "uploads"


backup_settings = BackupSettings()
