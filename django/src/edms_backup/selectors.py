"""What is read: jobs, restores, health, and how the backups are doing."""

from __future__ import annotations

import datetime
from typing import Any

from django.db.models import QuerySet, Sum
from django.utils import timezone

from . import execution
from .conf import backup_settings
from .models import ACTIVE, BackupConfiguration, BackupJob, HealthCheck, JobStatus, RestoreJob

#: Jobs older than this do not count for the rate of success.
RECENT = datetime.timedelta(days=30)


def jobs() -> QuerySet[BackupJob]:
    """Every backup, newest first. Those whose process has died are marked before."""
    execution.expire(BackupJob)
    return BackupJob.objects.select_related("configuration", "requested_by")


def restores() -> QuerySet[RestoreJob]:
    """Every restore, newest first. Those whose process has died are marked before."""
    execution.expire(RestoreJob)
    return RestoreJob.objects.select_related("source_job", "requested_by")


def configurations() -> QuerySet[BackupConfiguration]:
    """Every configuration, by name."""
    return BackupConfiguration.objects.all()


def health_checks() -> QuerySet[HealthCheck]:
    """Every result of every check, newest first."""
    return HealthCheck.objects.all()


def health_latest() -> list[HealthCheck]:
    """The newest result of each check."""
    return list(HealthCheck.objects.order_by("check_type", "-checked_at").distinct("check_type"))


def system_status() -> dict[str, Any]:
    """How the backups are doing, in one look."""
    made = jobs()
    recent = made.filter(created_at__gte=timezone.now() - RECENT).exclude(trigger="repository").exclude(status__in=ACTIVE)
    ended, complete = recent.count(), recent.filter(status=JobStatus.COMPLETED).count()
    stored = made.filter(status__in=[JobStatus.COMPLETED, JobStatus.PARTIAL]).exclude(path="")
    last = stored.filter(status=JobStatus.COMPLETED).first()
    checked = stored.filter(verification__status="ok").order_by("-verified_at")
    due = configurations().filter(is_enabled=True, next_run_at__isnull=False).order_by("next_run_at").first()
    return {
        "repository": str(backup_settings.repository),
        "backups": stored.count(),
        "bytes_stored": stored.aggregate(total=Sum("bytes_stored"))["total"] or 0,
        "active_jobs": made.filter(status__in=ACTIVE).count(),
        "active_restores": restores().filter(status__in=ACTIVE).count(),
        "last_complete_backup": last,
        "last_verified_backup": checked.first(),
        "last_rehearsed_backup": checked.filter(verification__rehearsed=True).first(),
        "next_configuration": due,
        "success_rate": complete / ended if ended else None,
        "health": {check.check_type: check.status for check in health_latest()},
    }
