"""Deleting backups that need not be kept any more."""

from __future__ import annotations

from typing import Any

from .. import native, site
from ..models import BackupConfiguration
from . import backup_service


def configuration_entry(configuration: BackupConfiguration) -> dict[str, Any]:
    """A configuration as a ``[[schedule]]`` entry of the engine's configuration."""
    optional = ("retention_days", "max_backups", "keep_daily", "keep_weekly", "keep_monthly")
    entry = {
        "name": configuration.name,
        "backup_type": configuration.backup_type,
        "frequency": configuration.frequency,
        "storage_path": configuration.storage_path or None,
        **{name: getattr(configuration, name) for name in optional},
    }
    return {name: value for name, value in entry.items() if value is not None}


def prune(*, dry_run: bool = False) -> dict[str, Any]:
    """Deletes what no configuration keeps: the plan, with a reason for every backup, and the ids of those that are gone.

    Nothing that a kept backup needs, and never the last good ones.
    """
    entries = [configuration_entry(configuration) for configuration in BackupConfiguration.objects.all()]
    outcome = native.run("prune", site.request(schedule=entries, dry_run=dry_run))
    backup_service.jobs_synchronise()
    return outcome
