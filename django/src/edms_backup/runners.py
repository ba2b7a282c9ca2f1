"""What carries out jobs that a request starts. The setting ``RUNNER`` names one; each has ``submit(kind, pk)``."""

from __future__ import annotations

import logging
import threading
from typing import Any

from django.db import connections, transaction
from django.utils.module_loading import import_string

from .conf import backup_settings
from .models import BackupJob, RestoreJob

logger = logging.getLogger("edms_backup")


def execute(kind: str, pk: Any) -> None:
    """Carries out the job of this kind (``backup``, ``verify``, ``rehearse`` or ``restore``), in this thread."""
    from .services import backup_service, restore_service

    if kind == "backup":
        backup_service.backup_execute(job=BackupJob.objects.get(pk=pk))
    elif kind in ("verify", "rehearse"):
        backup_service.backup_verify(job=BackupJob.objects.get(pk=pk), rehearse=kind == "rehearse")
    elif kind == "restore":
        restore_service.restore_execute(job=RestoreJob.objects.get(pk=pk))
    else:
        raise ValueError(f"unknown kind of job {kind!r}")


class ThreadRunner:
    """A thread of the process that answered the request. Jobs die with the process; their heartbeat then says so."""

    def submit(self, kind: str, pk: Any) -> None:
        threading.Thread(target=self._run, args=(kind, pk), name=f"edms-backup-{kind}-{pk}", daemon=True).start()

    def _run(self, kind: str, pk: Any) -> None:
        try:
            execute(kind, pk)
        except Exception:
            logger.exception("%s job %s failed", kind, pk)
        finally:
            connections.close_all()


class CeleryRunner:
    """The project's Celery workers."""

    def submit(self, kind: str, pk: Any) -> None:
        from .tasks import execute_job

        execute_job.delay(kind, str(pk))


class ImmediateRunner:
    """This very thread, before the request is answered: for tests and small sites."""

    def submit(self, kind: str, pk: Any) -> None:
        execute(kind, pk)


def submit(kind: str, pk: Any) -> None:
    """Hands a job to the runner once the row that describes it is committed."""
    runner = import_string(backup_settings.RUNNER)()
    transaction.on_commit(lambda: runner.submit(kind, pk))
