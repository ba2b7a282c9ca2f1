"""Making, checking and deleting backups."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from .. import execution, native, runners, site
from ..conf import backup_settings
from ..execution import Watch
from ..models import BackupConfiguration, BackupJob, BackupType, JobStatus
from ..signals import backup_finished


def backup_create(
    *,
    backup_type: str,
    options: dict[str, Any] | None = None,
    configuration: BackupConfiguration | None = None,
    trigger: str = "",
    requested_by: AbstractBaseUser | None = None,
    idempotency_key: str | None = None,
) -> BackupJob:
    """Notes that a backup is wanted. ``options`` are fields of the engine's ``create`` request.

    :raises native.UsageError: encryption is wanted and no recipient is set.
    """
    options = {**_options_of(configuration), **(options or {})}
    return BackupJob.objects.create(
        backup_type=BackupType(backup_type.upper()),
        options=options,
        configuration=configuration,
        configuration_name=configuration.name if configuration else "",
        trigger=trigger,
        requested_by=requested_by,
        requested_by_name=requested_by.get_username() if requested_by else "",
        idempotency_key=idempotency_key,
    )


def backup_start(**wanted: Any) -> BackupJob:
    """Notes that a backup is wanted, and has it made outside of this request. Arguments as of :func:`backup_create`."""
    with transaction.atomic():
        job = backup_create(**wanted)
        runners.submit("backup", job.pk)
    return job


def backup_execute(*, job: BackupJob, watch: Watch | None = None) -> BackupJob:
    """Makes a backup that was noted. Its row says how that ended; nothing is raised for a backup that fails."""
    if not _claim(job):
        return job
    try:
        record = execution.carry_out(job, "create", _create_request(job), watch)
    except native.EngineError as error:
        execution.end(job, execution.ended_by(error), error)
    except BaseException as error:
        failure = native.EngineError("internal", f"{type(error).__name__}: {error}")
        execution.end(job, JobStatus.FAILED, failure)
        raise
    else:
        job.refresh_from_db(fields=["cancel_requested"])
        _take_record(job, record)
        execution.end(job, execution.status_of(record))
    if job.configuration_id:
        BackupConfiguration.objects.filter(pk=job.configuration_id).update(last_run_at=job.started_at)
    if job.status == JobStatus.COMPLETED and record["pruned"]:
        jobs_synchronise()
    execution.send(backup_finished, job)
    return job


def backup_cancel(*, job: BackupJob) -> BackupJob:
    """Asks a job that waits or runs to stop; one that has ended stays as it is."""
    waiting = BackupJob.objects.filter(pk=job.pk, status=JobStatus.PENDING)
    if not waiting.update(status=JobStatus.CANCELLED, finished_at=timezone.now()):
        BackupJob.objects.filter(pk=job.pk, status=JobStatus.RUNNING).update(cancel_requested=True)
    job.refresh_from_db()
    return job


def backup_verify(*, job: BackupJob, quick: bool = False, rehearse: bool = False, watch: Watch | None = None) -> dict[str, Any]:
    """Checks a backup and keeps what was found in its row. Damage is a finding, not an error. ``rehearse`` restores it into a scratch database
    and folder, compares everything, and removes them.

    :raises native.EngineError: it cannot even be checked.
    """
    try:
        outcome = execution.carry_out(job, "verify", site.request(source=job.path, quick=quick, rehearse=rehearse), watch)
    except native.EngineError as error:
        outcome = {"status": "failed", "error": error.as_dict()}
        raise
    finally:
        BackupJob.objects.filter(pk=job.pk).update(verification=outcome, verified_at=timezone.now(), progress={})
        job.refresh_from_db()
    return outcome


def jobs_synchronise() -> None:
    """Brings rows and repository together: archives without a row get one, rows whose archive is gone lose its path, and jobs whose
    process has died are marked so."""
    execution.expire(BackupJob)
    for folder in _repositories():
        try:
            records = native.run("list", site.request(repository=str(folder)))
        except native.NotFoundError:
            continue
        _synchronise_with(folder, {record["id"]: record for record in records})


def _synchronise_with(folder: Path, records: dict[str, dict[str, Any]]) -> None:
    known = set(BackupJob.objects.filter(backup_id__in=records).values_list("backup_id", flat=True))
    for backup_id, record in records.items():
        if backup_id in known:
            continue
        job = BackupJob(trigger="repository", backup_type=record["kind"].upper(), status=execution.status_of(record))
        _take_record(job, record)
        job.created_at = job.started_at = parse_datetime(record["created_at"])
        job.finished_at = job.heartbeat_at = job.created_at + datetime.timedelta(milliseconds=record["duration_ms"])
        job.configuration = BackupConfiguration.objects.filter(name=job.configuration_name).first()
        job.save()
    stored = BackupJob.objects.filter(path__startswith=f"{folder}/").exclude(backup_id__in=records)
    stored.exclude(status__in=[JobStatus.PENDING, JobStatus.RUNNING]).update(path="")


def _repositories() -> set[Path]:
    """The folders that backups go to."""
    own = BackupConfiguration.objects.exclude(storage_path="").values_list("storage_path", flat=True)
    return {backup_settings.repository, *map(Path, own)}


def _claim(job: BackupJob) -> bool:
    """Takes a job that waits; False when it was cancelled or taken before."""
    waiting = BackupJob.objects.filter(pk=job.pk, status=JobStatus.PENDING)
    if not waiting.update(status=JobStatus.RUNNING):
        job.refresh_from_db()
        return False
    execution.begin(job)
    return True


def _options_of(configuration: BackupConfiguration | None) -> dict[str, Any]:
    if configuration is None:
        return {}
    options: dict[str, Any] = {}
    if configuration.storage_path:
        options["repository"] = configuration.storage_path
    if not configuration.compression_enabled:
        options["compression"] = "none"
    if configuration.encryption_enabled:
        options.update(encryption_options())
    return options


def encryption_options() -> dict[str, Any]:
    """The fields of a request whose archive shall be sealed.

    :raises native.UsageError: no recipient is set.
    """
    if not backup_settings.RECIPIENTS_FILE:
        raise native.UsageError(
            "no_recipients",
            "encryption is wanted, and nobody is named who could open the archive",
            'Set EDMS_BACKUP["RECIPIENTS_FILE"] to a file of public keys, one age1… per line.',
        )
    return {"recipients_file": str(backup_settings.RECIPIENTS_FILE)}


def _create_request(job: BackupJob) -> dict[str, Any]:
    fields = {"allow_shrunken": backup_settings.ALLOW_SHRUNKEN, "configuration": job.configuration_name or None, **job.options}
    schedule = [configuration_entry(job.configuration)] if job.configuration else []
    return site.request(kind=job.backup_type.lower(), user=job.requested_by_name, schedule=schedule, **fields)


def configuration_entry(configuration: BackupConfiguration) -> dict[str, Any]:
    """A configuration as a ``[[schedule]]`` entry of the engine's configuration: what its retention needs."""
    optional = ("retention_days", "max_backups", "keep_daily", "keep_weekly", "keep_monthly")
    entry = {
        "name": configuration.name,
        "backup_type": configuration.backup_type,
        "frequency": configuration.frequency,
        "storage_path": configuration.storage_path or None,
        **{name: getattr(configuration, name) for name in optional},
    }
    return {name: value for name, value in entry.items() if value is not None}


def _take_record(job: BackupJob, record: dict[str, Any]) -> None:
    """Takes what the repository knows of a backup into its row."""
    job.backup_id = record["id"]
    job.path = record["path"]
    job.sha256 = record["sha256"] or ""
    job.base = record["base"] or ""
    job.configuration_name = record["configuration"] or ""
    for name in ("files", "tables", "rows", "bytes_read", "bytes_stored", "duration_ms", "warnings"):
        setattr(job, name, record[name])
    job.progress = {}
    rehearsal = record.get("last_rehearsal")
    if rehearsal:
        job.verification = {"status": "ok" if rehearsal["passed"] else "damaged", "rehearsed": True, "damaged": []}
        job.verified_at = parse_datetime(rehearsal["at"])
