"""Deleting backups that need not be kept any more."""

from __future__ import annotations

from typing import Any

from .. import native, site
from ..models import BackupConfiguration
from .backup_service import configuration_entry, jobs_synchronise


def prune(*, dry_run: bool = False) -> list[dict[str, Any]]:
    """Deletes what no configuration keeps; never what a kept backup needs, nor the last good ones.

    Gives the engine's outcome for each repository: its plan, with a reason for every backup, and ``deleted`` unless it is a dry run.
    """
    configurations = list(BackupConfiguration.objects.all())
    entries = [configuration_entry(configuration) for configuration in configurations]
    own = [configuration.name for configuration in configurations if configuration.storage_path]
    outcomes = []
    for name in [None, *own]:
        try:
            outcomes.append(native.run("prune", site.request(schedule=entries, dry_run=dry_run, configuration=name)))
        except native.NotFoundError:
            # No backup was made there yet.
            continue
    jobs_synchronise()
    return outcomes
