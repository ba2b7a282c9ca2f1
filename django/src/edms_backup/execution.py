"""Carrying out jobs: the engine works in a thread of its own, this side watches it, says that it is alive, and passes a wish to cancel on."""

from __future__ import annotations

import datetime
import logging
import os
import socket
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.db import DatabaseError, connections, router
from django.utils import timezone

from . import native
from .conf import backup_settings
from .models import Job, JobStatus

logger = logging.getLogger("edms_backup")

#: Called with every progress report, for those who show it.
Watch = Callable[[native.Progress], None]
AnyJob = TypeVar("AnyJob", bound=Job)


def worker_name() -> str:
    """This process, for people."""
    return f"{socket.gethostname()}:{os.getpid()}"


def begin(job: Job) -> None:
    """Notes that a job runs now."""
    now = timezone.now()
    job.status = JobStatus.RUNNING
    job.started_at = job.heartbeat_at = now
    job.worker = worker_name()
    job.save()


def carry_out(job: Job, command: str, request: Mapping[str, Any], watch: Watch | None) -> Any:
    """Does what the request asks for, and gives the engine's result.

    :raises native.EngineError: of the kind that fits.
    """
    with native.start(command, request) as work:
        while not work.wait(backup_settings.HEARTBEAT_SECONDS):
            progress = work.progress()
            if watch:
                watch(progress)
            if _report(job, progress):
                work.cancel()
        if watch:
            watch(work.progress())
        return work.result()


def end(job: Job, status: str, error: native.EngineError | None = None) -> None:
    """Notes how a job ended."""
    job.status = status
    job.error = error.as_dict() if error else None
    job.finished_at = job.heartbeat_at = timezone.now()
    job.save()


def ended_by(error: native.EngineError) -> str:
    """The status of a job that ended with this error."""
    return JobStatus.CANCELLED if isinstance(error, native.CancelledError) else JobStatus.FAILED


def status_of(result: Mapping[str, Any]) -> str:
    """The status of a job from that of a backup or restore."""
    return {"COMPLETE": JobStatus.COMPLETED, "PARTIAL": JobStatus.PARTIAL}.get(result["status"], JobStatus.FAILED)


def expire(model: type[AnyJob]) -> int:
    """Marks jobs as failed whose process has died; gives their number."""
    oldest = timezone.now() - datetime.timedelta(seconds=backup_settings.STALE_SECONDS)
    error = {
        "code": "process_died",
        "message": "the process that did this has ended without a word",
        "hint": "Look for its end in the logs of the host; nothing needs to be unlocked, start the job again.",
        "causes": [],
    }
    return model.objects.filter(status__in=[JobStatus.PENDING, JobStatus.RUNNING], heartbeat_at__lt=oldest).update(
        status=JobStatus.FAILED, error=error, finished_at=timezone.now()
    )


def send(signal: Any, job: Job) -> None:
    """Sends a signal; receivers that raise are logged."""
    for receiver, result in signal.send_robust(sender=type(job), job=job):
        if isinstance(result, Exception):
            logger.error("%r failed for %s", receiver, job, exc_info=result)


def _report(job: Job, progress: native.Progress) -> bool:
    """Writes progress and heartbeat into the job's row, and tells whether somebody wants it to stop.

    A restore locks or exchanges the tables: what cannot be written at once is let go.
    """
    rows = type(job).objects.filter(pk=job.pk)
    connection = connections[router.db_for_write(type(job))]
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '1s'")
        rows.update(progress=progress, heartbeat_at=timezone.now())
        return rows.filter(cancel_requested=True).exists()
    except DatabaseError as error:
        logger.debug("progress of %s is not written: %s", job, error)
        connection.close()
        return False
