"""What the project knows about backups.

The repository on disk is the truth: rows of backups are synchronised from it, so that they survive a restore that replaces the database.
"""

from __future__ import annotations

import datetime
import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from .conf import backup_settings


class BackupType(models.TextChoices):
    """What a backup contains."""

    FULL = "FULL", "Full"
    DATABASE = "DATABASE", "Database"
    FILES = "FILES", "Files"
    INCREMENTAL = "INCREMENTAL", "Incremental"
    EXPORT = "EXPORT", "Export package"


class Frequency(models.TextChoices):
    """How often a configuration runs."""

    HOURLY = "HOURLY", "Hourly"
    DAILY = "DAILY", "Daily"
    WEEKLY = "WEEKLY", "Weekly"
    MONTHLY = "MONTHLY", "Monthly"
    ON_DEMAND = "ON_DEMAND", "On demand"


class JobStatus(models.TextChoices):
    """How a job is, or ended."""

    PENDING = "PENDING", "Pending"
    RUNNING = "RUNNING", "Running"
    COMPLETED = "COMPLETED", "Completed"
    PARTIAL = "PARTIAL", "Partial"
    FAILED = "FAILED", "Failed"
    CANCELLED = "CANCELLED", "Cancelled"


ACTIVE = [JobStatus.PENDING, JobStatus.RUNNING]


class CheckType(models.TextChoices):
    """What a health check looks at."""

    DATABASE = "DATABASE", "Database"
    STORAGE = "STORAGE", "Storage"
    APPLICATION = "APPLICATION", "Application"
    BACKUP_SYSTEM = "BACKUP_SYSTEM", "Backup system"
    SECURITY = "SECURITY", "Security"


class HealthStatus(models.TextChoices):
    """How well something is."""

    HEALTHY = "HEALTHY", "Healthy"
    WARNING = "WARNING", "Warning"
    CRITICAL = "CRITICAL", "Critical"
    UNKNOWN = "UNKNOWN", "Unknown"


def default_retention_days() -> int:
    """How long backups of a new configuration are kept."""
    return backup_settings.RETENTION_DAYS


class BackupConfiguration(models.Model):
    """What is backed up when, and how long it is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100, unique=True)
    description = models.TextField(blank=True)
    backup_type = models.CharField(max_length=12, choices=BackupType.choices, default=BackupType.FULL)
    frequency = models.CharField(max_length=10, choices=Frequency.choices, default=Frequency.DAILY)
    schedule_time = models.TimeField(default=datetime.time(2, 0))
    time_zone = models.CharField(max_length=64, blank=True, help_text="IANA name; empty: the project's TIME_ZONE")
    retention_days = models.PositiveIntegerField(null=True, blank=True, default=default_retention_days)
    max_backups = models.PositiveIntegerField(null=True, blank=True, default=10)
    keep_daily = models.PositiveIntegerField(null=True, blank=True)
    keep_weekly = models.PositiveIntegerField(null=True, blank=True)
    keep_monthly = models.PositiveIntegerField(null=True, blank=True)
    storage_path = models.CharField(max_length=500, blank=True, help_text="folder of its backups; empty: the project's repository")
    compression_enabled = models.BooleanField(default=True)
    encryption_enabled = models.BooleanField(default=False)
    is_enabled = models.BooleanField(default=True)
    last_run_at = models.DateTimeField(null=True, blank=True, editable=False)
    next_run_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_slot_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Job(models.Model):
    """Work that takes its time, done outside of requests."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    status = models.CharField(max_length=10, choices=JobStatus.choices, default=JobStatus.PENDING)
    options = models.JSONField(default=dict, blank=True)
    progress = models.JSONField(default=dict, blank=True)
    warnings = models.JSONField(default=list, blank=True)
    error = models.JSONField(null=True, blank=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    requested_by_name = models.CharField(max_length=255, blank=True)
    idempotency_key = models.CharField(max_length=100, null=True, blank=True, unique=True)
    worker = models.CharField(max_length=255, blank=True)
    cancel_requested = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(default=timezone.now)

    class Meta:
        abstract = True
        ordering = ["-created_at"]

    @property
    def is_active(self) -> bool:
        """Whether it waits or runs."""
        return self.status in ACTIVE


class BackupJob(Job):
    """One backup: asked for, being made, or made."""

    configuration = models.ForeignKey(BackupConfiguration, null=True, blank=True, on_delete=models.SET_NULL, related_name="jobs")
    configuration_name = models.CharField(max_length=100, blank=True)
    backup_type = models.CharField(max_length=12, choices=BackupType.choices)
    trigger = models.CharField(max_length=20, blank=True, help_text="command, api, admin, schedule, repository")
    backup_id = models.CharField(max_length=100, null=True, blank=True, unique=True)
    path = models.CharField(max_length=1000, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    base = models.CharField(max_length=100, blank=True)
    files = models.PositiveBigIntegerField(default=0)
    tables = models.PositiveBigIntegerField(default=0)
    rows = models.PositiveBigIntegerField(default=0)
    bytes_read = models.PositiveBigIntegerField(default=0)
    bytes_stored = models.PositiveBigIntegerField(default=0)
    duration_ms = models.PositiveBigIntegerField(default=0)
    verified_at = models.DateTimeField(null=True, blank=True)
    verification = models.JSONField(null=True, blank=True)

    class Meta(Job.Meta):
        permissions = [
            ("download_backupjob", "Can download a backup"),
            ("verify_backupjob", "Can verify a backup"),
        ]

    def __str__(self) -> str:
        return self.backup_id or f"{self.backup_type} {self.id}"


class RestoreJob(Job):
    """One restore: asked for, being done, or done."""

    source_job = models.ForeignKey(BackupJob, null=True, blank=True, on_delete=models.SET_NULL, related_name="restores")
    source = models.CharField(max_length=1000, help_text="path of the archive, or id of the backup")
    is_upload = models.BooleanField(default=False)
    restore_id = models.CharField(max_length=100, null=True, blank=True, unique=True)
    result = models.JSONField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta(Job.Meta):
        permissions = [("restore_system", "Can restore a backup over the running system, and take that back")]

    def __str__(self) -> str:
        return self.restore_id or f"restore {self.id}"


class HealthCheck(models.Model):
    """What one check found."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    check_type = models.CharField(max_length=15, choices=CheckType.choices)
    status = models.CharField(max_length=10, choices=HealthStatus.choices)
    message = models.TextField(blank=True)
    findings = models.JSONField(default=list)
    checked_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ["-checked_at", "check_type"]

    def __str__(self) -> str:
        return f"{self.check_type}: {self.status}"


class SystemMetric(models.Model):
    """One measured value."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=100)
    subject = models.CharField(max_length=255, blank=True)
    value = models.FloatField()
    unit = models.CharField(max_length=10)
    recorded_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ["-recorded_at"]
        indexes = [models.Index(fields=["name", "-recorded_at"], name="backup_metric_by_name")]

    def __str__(self) -> str:
        return f"{self.name} {self.value}"
