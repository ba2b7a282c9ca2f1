"""What goes in and what comes out."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from .. import native
from ..models import BackupConfiguration, BackupJob, HealthCheck, RestoreJob
from ..services import schedule_service


class ErrorSerializer(serializers.Serializer):
    """Why a request was refused."""

    code = serializers.CharField(help_text="stable name of the kind of error")
    detail = serializers.CharField()
    hint = serializers.CharField(allow_null=True, help_text="what to do about it")
    fields_ = serializers.DictField(required=False, help_text="for invalid input: what is wrong with each field")

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        fields["fields"] = fields.pop("fields_")
        return fields


class ConfigurationSerializer(serializers.ModelSerializer):
    """A backup configuration."""

    class Meta:
        model = BackupConfiguration
        fields = [
            "id",
            "name",
            "description",
            "backup_type",
            "frequency",
            "schedule_time",
            "time_zone",
            "retention_days",
            "max_backups",
            "keep_daily",
            "keep_weekly",
            "keep_monthly",
            "storage_path",
            "compression_enabled",
            "encryption_enabled",
            "is_enabled",
            "last_run_at",
            "next_run_at",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["last_run_at", "next_run_at", "created_at", "updated_at"]

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """A schedule that can be."""
        now = {name: data.get(name, getattr(self.instance, name, default)) for name, default in [("frequency", "DAILY"), ("time_zone", "")]}
        try:
            schedule_service.configuration_check(**now)
        except native.UsageError as error:
            raise serializers.ValidationError({"time_zone": [str(error)]}) from None
        return data

    def validate_storage_path(self, value: str) -> str:
        """Absolute, or empty."""
        if value and (not value.startswith("/") or "\0" in value):
            raise serializers.ValidationError("an absolute path, or empty for the project's repository")
        return value


class BackupJobSerializer(serializers.ModelSerializer):
    """A backup: asked for, being made, or made."""

    class Meta:
        model = BackupJob
        fields = [
            "id",
            "backup_id",
            "backup_type",
            "status",
            "trigger",
            "configuration",
            "configuration_name",
            "requested_by_name",
            "progress",
            "warnings",
            "error",
            "path",
            "sha256",
            "base",
            "files",
            "tables",
            "rows",
            "bytes_read",
            "bytes_stored",
            "duration_ms",
            "verified_at",
            "verification",
            "cancel_requested",
            "created_at",
            "started_at",
            "finished_at",
            "heartbeat_at",
        ]
        read_only_fields = fields


class RestoreJobSerializer(serializers.ModelSerializer):
    """A restore: asked for, being done, or done."""

    class Meta:
        model = RestoreJob
        fields = [
            "id",
            "restore_id",
            "status",
            "source_job",
            "source",
            "is_upload",
            "options",
            "requested_by_name",
            "progress",
            "warnings",
            "error",
            "result",
            "undone_at",
            "created_at",
            "started_at",
            "finished_at",
            "heartbeat_at",
        ]
        read_only_fields = fields


class HealthCheckSerializer(serializers.ModelSerializer):
    """What one check found."""

    # Not a choice: the schema has one enumeration called status, that of jobs.
    status = serializers.CharField(read_only=True, help_text="HEALTHY, WARNING, CRITICAL or UNKNOWN")

    class Meta:
        model = HealthCheck
        fields = ["id", "check_type", "status", "message", "findings", "checked_at"]
        read_only_fields = fields


class HealthSerializer(serializers.Serializer):
    """The newest result of each check, and the worst of them."""

    status = serializers.CharField()
    checked_at = serializers.DateTimeField(allow_null=True)
    checks = HealthCheckSerializer(many=True)


class SystemStatusSerializer(serializers.Serializer):
    """How the backups are doing."""

    repository = serializers.CharField()
    backups = serializers.IntegerField()
    bytes_stored = serializers.IntegerField()
    active_jobs = serializers.IntegerField()
    active_restores = serializers.IntegerField()
    last_complete_backup = BackupJobSerializer(allow_null=True)
    last_verified_backup = BackupJobSerializer(allow_null=True)
    last_rehearsed_backup = BackupJobSerializer(allow_null=True, help_text="proven to be restorable")
    next_configuration = ConfigurationSerializer(allow_null=True)
    success_rate = serializers.FloatField(allow_null=True, help_text="complete jobs, as part of those of the last 30 days")
    health = serializers.DictField(child=serializers.CharField())


class ExportSerializer(serializers.Serializer):
    """How an export package is made."""

    include_users = serializers.BooleanField(default=False)
    exclude_users = serializers.BooleanField(default=False)
    encrypt = serializers.BooleanField(default=False)

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """Users in or out."""
        if data["include_users"] and data["exclude_users"]:
            raise serializers.ValidationError({"exclude_users": ["contradicts include_users"]})
        return data


class VerifySerializer(serializers.Serializer):
    """How thoroughly a backup is checked."""

    quick = serializers.BooleanField(default=False, help_text="only the stored bytes")
    rehearse = serializers.BooleanField(default=False, help_text="restore it into a scratch database and folder, compare everything")

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """One of them."""
        if data["quick"] and data["rehearse"]:
            raise serializers.ValidationError({"rehearse": ["contradicts quick"]})
        return data


class HealthRequestSerializer(serializers.Serializer):
    """What is looked at."""

    check_type = serializers.ChoiceField(choices=[], required=False, help_text="one check; all when left out")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["check_type"].choices = HealthCheck._meta.get_field("check_type").choices


class RestoreOptionsSerializer(serializers.Serializer):
    """What of a backup is restored, and how."""

    restore_type = serializers.ChoiceField(choices=["full", "database", "files", "selective"], default="full")
    paths = serializers.ListField(child=serializers.CharField(), default=list, help_text="globs over <root>/<path>, for selective restores")
    target = serializers.CharField(required=False, help_text="folder for files, instead of where they belong")
    skip_users = serializers.BooleanField(default=False)
    skip_database = serializers.BooleanField(default=False)
    skip_files = serializers.BooleanField(default=False)
    verify = serializers.BooleanField(default=True, help_text="compare every restored table and file with the backup")
    dry_run = serializers.BooleanField(default=False, help_text="answer with the plan, do nothing")

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """Options that leave something to restore."""
        kind = data["restore_type"]
        if kind == "selective" and not data["paths"]:
            raise serializers.ValidationError({"paths": ["a selective restore names paths"]})
        if (kind == "database" and data["skip_database"]) or (kind in ("files", "selective") and data["skip_files"]):
            raise serializers.ValidationError({"restore_type": ["nothing is left to restore"]})
        if any("\0" in text for text in [*data["paths"], data.get("target", "")]):
            raise serializers.ValidationError({"paths": ["a NUL character"]})
        return data

    def engine_options(self) -> dict[str, Any]:
        """The fields of the engine's request."""
        data = self.validated_data
        options: dict[str, Any] = {"verify": data["verify"]}
        if data["skip_users"]:
            options["skip_users"] = True
        if data["restore_type"] in ("database", "files"):
            options["only"] = data["restore_type"]
        else:
            options["skip_database"], options["skip_files"] = data["skip_database"], data["skip_files"]
        if data["paths"]:
            options["path"] = data["paths"]
        if data.get("target"):
            options["target"] = data["target"]
        return options


class RestoreFromBackupSerializer(RestoreOptionsSerializer):
    """A restore of a backup that a job has made."""

    backup_job = serializers.UUIDField()


class RestoreFromFileSerializer(RestoreOptionsSerializer):
    """A restore of an archive that is uploaded."""

    file = serializers.FileField()


class PlanSerializer(serializers.Serializer):
    """What a restore would do."""

    source = serializers.CharField()
    database = serializers.DictField(required=False)
    files = serializers.DictField()
    problems = serializers.ListField(child=serializers.CharField())
    warnings = serializers.ListField(child=serializers.CharField())
