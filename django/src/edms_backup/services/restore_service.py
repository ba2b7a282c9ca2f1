"""Restoring backups, also over the database that this process works on, and taking that back."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.cache import caches
from django.db import DatabaseError, connections, router, transaction
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from .. import execution, native, runners, site
from ..conf import backup_settings
from ..execution import Watch
from ..maintenance import is_restoring, restoring
from ..models import ACTIVE, BackupConfiguration, BackupJob, Job, RestoreJob
from ..signals import post_restore, pre_restore

logger = logging.getLogger("edms_backup")


def restore_create(
    *,
    source: str,
    options: dict[str, Any] | None = None,
    source_job: BackupJob | None = None,
    is_upload: bool = False,
    requested_by: AbstractBaseUser | None = None,
    idempotency_key: str | None = None,
) -> RestoreJob:
    """Notes that a restore is wanted. ``source`` is an archive's path or a backup's id, ``options`` are fields of the engine's ``restore`` request.

    :raises native.BusyError: another restore is at work, or waits.
    """
    execution.expire(RestoreJob)
    if is_restoring() or RestoreJob.objects.filter(status__in=ACTIVE).exists():
        raise native.BusyError("busy", "another restore is at work", "Wait until it has ended.")
    return RestoreJob.objects.create(
        source=source,
        source_job=source_job,
        is_upload=is_upload,
        options=options or {},
        requested_by=requested_by,
        requested_by_name=requested_by.get_username() if requested_by else "",
        idempotency_key=idempotency_key,
    )


def restore_start(**wanted: Any) -> RestoreJob:
    """Notes that a restore is wanted, and has it done outside of this request. Arguments as of :func:`restore_create`."""
    with transaction.atomic():
        job = restore_create(**wanted)
        runners.submit("restore", job.pk)
    return job


def restore_plan(*, source: str, options: dict[str, Any] | None = None) -> dict[str, Any]:
    """What a restore would do and what stands in its way; touches nothing.

    :raises native.EngineError: the backup cannot be read, or the options make no sense for it.
    """
    options = options or {}
    plan = native.run("restore", _request(source, {**options, "dry_run": True}))
    if not _touches_database(options):
        return plan
    comparison = migrations_compare(source=source)
    plan["problems"] = comparison.problems() + plan["problems"]
    plan["warnings"] = comparison.warnings() + plan["warnings"]
    return plan


def restore_execute(*, job: RestoreJob, watch: Watch | None = None) -> RestoreJob:
    """Does a restore that was noted. Its row says how that ended; nothing is raised for a restore that fails."""
    if not RestoreJob.objects.filter(pk=job.pk, status__in=ACTIVE).exists():
        return job
    try:
        with restoring(f"restore {job.pk}"):
            _execute(job, watch)
    except native.EngineError as error:
        execution.end(job, execution.ended_by(error), error)
    finally:
        if job.is_upload:
            Path(job.source).unlink(missing_ok=True)
    if job.result is not None:
        execution.send(post_restore, job)
    return job


def restore_undo(*, job: RestoreJob) -> dict[str, Any]:
    """Takes a restore back: database and files are what they were before it.

    :raises native.EngineError: nothing is kept of it, or another restore is at work.
    """
    if not job.restore_id:
        raise native.NotFoundError("no_such_restore", "this restore did not change anything", "Only restores that have ended well can be taken back.")
    fields = {"restore": job.restore_id, "target": job.options.get("target"), "user": job.requested_by_name}
    with restoring(f"undo {job.restore_id}"):
        kept = _KeptRows.now()
        connections.close_all()
        settled = native.run("undo", site.request(**fields))
        connections.close_all()
        kept.put_back()
    RestoreJob.objects.filter(pk=job.pk).update(undone_at=timezone.now())
    job.refresh_from_db()
    _clear_caches()
    return settled


@dataclass
class MigrationComparison:
    """The migrations of a backup, compared with those that the code knows."""

    #: Applied in the backup, unknown to the code.
    unknown: list[str] = field(default_factory=list)
    #: Known to the code, not applied in the backup.
    missing: list[str] = field(default_factory=list)

    def problems(self) -> list[str]:
        """Why the backup must not be restored."""
        if not self.unknown:
            return []
        return [f"the backup is newer than the code of this project, which lacks the migrations {', '.join(self.unknown)}"]

    def warnings(self) -> list[str]:
        """What is to be done afterwards."""
        if not self.missing:
            return []
        return [f"the backup is older than the code: run `manage.py migrate` afterwards ({len(self.missing)} migrations, from {self.missing[0]})"]


def migrations_compare(*, source: str) -> MigrationComparison:
    """Compares the migrations applied in a backup with those that the code of this project has."""
    applied = _applied_migrations(source)
    if applied is None:
        return MigrationComparison()
    loader = MigrationLoader(None, ignore_no_migrations=True)
    replaced = {old for migration in loader.disk_migrations.values() for old in migration.replaces}
    known = set(loader.disk_migrations)
    covered = {new for new, migration in loader.disk_migrations.items() if migration.replaces and set(migration.replaces) <= applied}
    labels = {app for app, _ in known}

    def named(migrations: set[tuple[str, str]]) -> list[str]:
        return sorted(f"{app}.{name}" for app, name in migrations)

    # What an app that is not installed had applied does not matter to this code.
    unknown = {(app, name) for app, name in applied - known - replaced if app in labels}
    return MigrationComparison(named(unknown), named(known - applied - covered - replaced))


def _execute(job: RestoreJob, watch: Watch | None) -> None:
    request = _request(job.source, {**job.options, "user": job.requested_by_name})
    touches_database = _touches_database(job.options)
    if touches_database:
        comparison = migrations_compare(source=job.source)
        if comparison.unknown:
            raise native.UsageError("migrations_newer", comparison.problems()[0], "Deploy the version of the project that made the backup, or a newer one.")
    execution.begin(job)
    execution.send(pre_restore, job)
    kept = _KeptRows.now()
    result = execution.carry_out(job, "restore", request, watch)
    # Connections to the database that was here before are of no use any more.
    connections.close_all()
    if touches_database:
        result["warnings"] += comparison.warnings()
    job.result = result
    job.restore_id = result["id"]
    job.warnings = result["warnings"]
    job.progress = {}
    if touches_database:
        try:
            kept.put_back()
        except DatabaseError as error:
            logger.warning("rows about backups could not be carried over: %s", error)
            job.warnings.append("rows about backups were not carried over: run `manage.py migrate`")
    _end(job, execution.status_of(result))
    _clear_caches()


def _end(job: RestoreJob, status: str) -> None:
    """Saves the job's row, also into a database that never knew it."""
    try:
        _forget_missing_links(job)
        execution.end(job, status)
    except DatabaseError as error:
        # The restored database is from before this application: nothing can be noted in it.
        logger.warning("%s ended as %s, which cannot be noted: %s", job, status, error)


def _request(source: str, options: dict[str, Any]) -> dict[str, Any]:
    into = backup_settings.RESTORE_INTO if _touches_database(options) else None
    return site.request(**{"source": source, "into": into, "force": True, **options})


def _touches_database(options: dict[str, Any]) -> bool:
    if options.get("only"):
        return options["only"] == "database"
    narrowed = options.get("path") and not options.get("table")
    return not options.get("skip_database") and not narrowed


def _applied_migrations(source: str) -> set[tuple[str, str]] | None:
    """The rows of ``django_migrations`` in a backup; None when it has no such table."""
    try:
        table = native.run("table", site.request(source=source, table="public.django_migrations"))
    except native.NotFoundError as error:
        if error.code == "no_such_table":
            return None
        raise
    app, name = table["columns"].index("app"), table["columns"].index("name")
    return {(row[app], row[name]) for row in table["rows"]}


class _KeptRows:
    """Rows about backups and restores: they are about the site, not about the database that is exchanged."""

    def __init__(self, jobs: list[Job], slots: dict[str, Any]) -> None:
        self._jobs = jobs
        self._slots = slots

    @classmethod
    def now(cls) -> _KeptRows:
        configurations = BackupConfiguration.objects.values("name", "last_run_at", "last_slot_at", "next_run_at")
        return cls(
            [*BackupJob.objects.all(), *RestoreJob.objects.all()],
            {row.pop("name"): row for row in configurations},
        )

    def put_back(self) -> None:
        """Into the database that is there now."""
        with transaction.atomic(using=router.db_for_write(BackupJob)):
            # What ran while the backup was made is the backup itself.
            for model in (BackupJob, RestoreJob):
                known = [job.pk for job in self._jobs if isinstance(job, model)]
                model.objects.filter(status__in=ACTIVE).exclude(pk__in=known).delete()
            for job in self._jobs:
                _forget_missing_links(job)
                twins = type(job).objects.exclude(pk=job.pk)
                if isinstance(job, BackupJob) and job.backup_id:
                    twins.filter(backup_id=job.backup_id).delete()
                job.save()
            for name, times in self._slots.items():
                BackupConfiguration.objects.filter(name=name).update(**times)


def _forget_missing_links(job: Job) -> None:
    """Takes references out that lead to rows which the restored database does not have."""
    links = {"requested_by_id": get_user_model(), "configuration_id": BackupConfiguration, "source_job_id": BackupJob}
    for attribute, model in links.items():
        value = getattr(job, attribute, None)
        if value is not None and not model.objects.filter(pk=value).exists():
            setattr(job, attribute, None)


def _clear_caches() -> None:
    for alias in settings.CACHES:
        try:
            caches[alias].clear()
        except Exception:
            logger.exception("cache %s could not be cleared", alias)
