"""Configurations: the ones to begin with, turning them on and off, and running those that are due."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from .. import native, site
from ..execution import Watch
from ..models import BackupConfiguration, BackupJob, Frequency
from . import backup_service


def configurations_create_defaults() -> list[BackupConfiguration]:
    """Makes the configurations that a site begins with; those that are there stay as they are. Gives the new ones."""
    entries = native.run("schedule-defaults", site.request(time_zone=settings.TIME_ZONE))
    made = []
    for entry in entries:
        fields = {name: entry.get(name) for name in ("backup_type", "frequency", "retention_days", "max_backups", "keep_daily", "keep_weekly", "keep_monthly")}
        # Turned off where something is missing that it needs.
        fields["is_enabled"] = entry.get("enabled", True)
        fields["schedule_time"] = datetime.time.fromisoformat(entry["schedule_time"])
        configuration, is_new = BackupConfiguration.objects.get_or_create(name=entry["name"], defaults=fields)
        if is_new:
            made.append(configuration)
    slots_refresh(BackupConfiguration.objects.all())
    return made


def configuration_enable(*, configuration: BackupConfiguration, is_enabled: bool) -> BackupConfiguration:
    """Turns a configuration on or off."""
    configuration.is_enabled = is_enabled
    if is_enabled:
        # What was missed while it was off is not caught up.
        configuration.last_slot_at = timezone.now()
    configuration.save()
    slots_refresh([configuration])
    return configuration


def configuration_find(*, name: str) -> BackupConfiguration:
    """The configuration of this name.

    :raises native.NotFoundError: there is none; the hint lists those that are there.
    """
    found = BackupConfiguration.objects.filter(name=name).first()
    if found is None:
        names = ", ".join(BackupConfiguration.objects.values_list("name", flat=True)) or "none yet: `backup_scheduler --create-config` makes some"
        raise native.NotFoundError("no_such_configuration", f"there is no configuration {name!r}", f"Configurations: {names}.")
    return found


def due(*, now: datetime.datetime | None = None) -> list[tuple[BackupConfiguration, datetime.datetime]]:
    """The configurations that are due, each with its slot: the newest that has passed and had no run. Older ones are not caught up."""
    enabled = list(BackupConfiguration.objects.filter(is_enabled=True).exclude(frequency=Frequency.ON_DEMAND))
    waiting = []
    for configuration, slots in zip(enabled, _slots(enabled, now), strict=True):
        slot = slots["previous"]
        reference = configuration.last_slot_at or configuration.created_at
        if slot is not None and slot > reference:
            waiting.append((configuration, slot))
    return waiting


def run_due(*, now: datetime.datetime | None = None, watch: Watch | None = None) -> list[BackupJob]:
    """Runs every configuration that is due, one after the other. Several processes may call this at once: a slot is run by one of them."""
    jobs = []
    for configuration, slot in due(now=now):
        mine = BackupConfiguration.objects.filter(pk=configuration.pk, last_slot_at=configuration.last_slot_at)
        if not mine.update(last_slot_at=slot):
            continue
        configuration.last_slot_at = slot
        jobs.append(configuration_run(configuration=configuration, trigger="schedule", watch=watch))
    slots_refresh(BackupConfiguration.objects.all())
    return jobs


def configuration_run(*, configuration: BackupConfiguration, trigger: str, options: dict[str, Any] | None = None, watch: Watch | None = None) -> BackupJob:
    """Makes a backup of this configuration now."""
    job = backup_service.backup_create(
        backup_type=configuration.backup_type, configuration=configuration, trigger=trigger, options=options
    )
    return backup_service.backup_execute(job=job, watch=watch)


def slots_refresh(configurations: Iterable[BackupConfiguration]) -> None:
    """Notes when each configuration runs next."""
    configurations = list(configurations)
    for configuration, slots in zip(configurations, _slots(configurations), strict=True):
        configuration.next_run_at = slots["next"] if configuration.is_enabled else None
        BackupConfiguration.objects.filter(pk=configuration.pk).update(next_run_at=configuration.next_run_at)


def configuration_check(*, frequency: str, time_zone: str) -> None:
    """Whether a schedule can be.

    :raises native.UsageError: it cannot, and why.
    """
    _slots([BackupConfiguration(name="new", frequency=frequency, time_zone=time_zone)])


def _slots(configurations: list[BackupConfiguration], now: datetime.datetime | None = None) -> list[dict[str, datetime.datetime | None]]:
    """For each configuration the slot before and the one after ``now``."""
    if not configurations:
        return []
    entries = [
        {
            "frequency": configuration.frequency,
            "schedule_time": configuration.schedule_time.isoformat(timespec="seconds"),
            "time_zone": configuration.time_zone or settings.TIME_ZONE,
        }
        for configuration in configurations
    ]
    request: dict[str, Any] = {"schedule": entries, "now": (now or timezone.now()).isoformat()}
    return [
        {key: parse_datetime(slots[key]) if slots[key] else None for key in ("previous", "next")} for slots in native.run("slots", request)
    ]
