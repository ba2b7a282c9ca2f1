"""What becomes of jobs: those whose process dies, those that nobody knows any more, and what the restored database is told."""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from edms_backup import maintenance, native, selectors
from edms_backup.models import BackupConfiguration, BackupJob, JobStatus, RestoreJob
from edms_backup.services import backup_service, restore_service
from edms_backup.signals import backup_finished, post_restore, pre_restore

from .conftest import Site, eventually


def test_a_job_whose_process_is_killed_is_failed(edms: Site, settings: Any, tmp_path: Path) -> None:
    (edms.storage / "media/large.bin").write_bytes(bytes(range(256)) * (1 << 20))
    job = backup_service.backup_create(backup_type="files", options={"level": 12, "jobs": 1})
    folder = Path(__file__).resolve().parents[1]
    code = (
        "import django; django.setup()\n"
        "from django.conf import settings\n"
        f"settings.EDMS_BACKUP = {dict(settings.EDMS_BACKUP, REPOSITORY=str(tmp_path / 'backups'))!r}\n"
        f"settings.MEDIA_ROOT = {settings.MEDIA_ROOT!r}\n"
        "from django.db import connections\n"
        f"connections['default'].settings_dict['NAME'] = {connections['default'].settings_dict['NAME']!r}\n"
        "from edms_backup.runners import execute\n"
        f"execute('backup', {str(job.pk)!r})\n"
    )
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "STORAGE_ROOT": str(edms.storage),
        "PYTHONPATH": os.pathsep.join([*sys.path, str(folder), str(folder.parent / "examples/edms")]),
    }
    worker = subprocess.Popen([sys.executable, "-c", code], env=environment, cwd=folder)
    try:
        eventually(lambda: BackupJob.objects.get(pk=job.pk).progress)
    finally:
        worker.kill()
        worker.wait()
    assert selectors.jobs().get(pk=job.pk).status == JobStatus.RUNNING
    settings.EDMS_BACKUP = {**settings.EDMS_BACKUP, "STALE_SECONDS": 0.5}
    time.sleep(0.6)
    dead = selectors.jobs().get(pk=job.pk)
    assert dead.status == JobStatus.FAILED and dead.error["code"] == "process_died"
    # Nothing is left of it, and nothing needs to be unlocked.
    after = backup_service.backup_execute(job=backup_service.backup_create(backup_type="database"))
    assert after.status == JobStatus.COMPLETED
    assert [one["id"] for one in native.run("list", {"repository": tmp_path / "backups"})] == [after.backup_id]


def test_rows_follow_the_repository(edms: Site) -> None:
    job = backup_service.backup_execute(job=backup_service.backup_create(backup_type="database"))
    BackupJob.objects.all().delete()
    backup_service.jobs_synchronise()
    again = BackupJob.objects.get()
    assert (again.backup_id, again.status, again.rows, again.trigger) == (job.backup_id, JobStatus.COMPLETED, job.rows, "repository")
    Path(job.path).unlink()
    Path(job.path.replace(".tar.gz", ".toml")).unlink()
    backup_service.jobs_synchronise()
    assert BackupJob.objects.get().path == ""


def test_a_restored_database_knows_what_happened_since(edms: Site) -> None:
    first = backup_service.backup_execute(job=backup_service.backup_create(backup_type="full"))
    configuration = BackupConfiguration.objects.create(name="later")
    later = backup_service.backup_create(backup_type="database", configuration=configuration)
    backup_service.backup_execute(job=later)
    restore = restore_service.restore_create(source=first.path, source_job=first)
    restore_service.restore_execute(job=restore)
    connections.close_all()
    assert RestoreJob.objects.get().status == JobStatus.COMPLETED
    statuses = dict(BackupJob.objects.values_list("backup_id", "status"))
    assert statuses == {first.backup_id: "COMPLETED", later.backup_id: "COMPLETED"}
    assert BackupJob.objects.get(pk=later.pk).configuration is None, "the configuration is from after the backup"
    assert BackupJob.objects.get(pk=later.pk).configuration_name == "later"


def test_a_package_that_is_newer_than_the_code_is_refused(edms: Site) -> None:
    MigrationRecorder.Migration.objects.create(app="documents", name="0099_future")
    MigrationRecorder.Migration.objects.create(app="uninstalled", name="0001_initial")
    try:
        job = backup_service.backup_execute(job=backup_service.backup_create(backup_type="database"))
    finally:
        MigrationRecorder.Migration.objects.filter(app="uninstalled").delete()
        MigrationRecorder.Migration.objects.filter(name="0099_future").delete()
    before = edms.state()
    plan = restore_service.restore_plan(source=job.path)
    assert plan["problems"] == ["the backup is newer than the code of this project, which lacks the migrations documents.0099_future"]
    restore = restore_service.restore_execute(job=restore_service.restore_create(source=job.path))
    assert restore.status == JobStatus.FAILED and restore.error["code"] == "migrations_newer"
    assert edms.state() == before


def test_a_package_that_is_older_than_the_code_offers_to_migrate(edms: Site) -> None:
    last = MigrationRecorder.Migration.objects.filter(app="authtoken").order_by("pk").last()
    gone = (last.app, last.name)
    last.delete()
    try:
        job = backup_service.backup_execute(job=backup_service.backup_create(backup_type="database"))
    finally:
        MigrationRecorder.Migration.objects.create(app=gone[0], name=gone[1])
    warning = restore_service.restore_plan(source=job.path)["warnings"][0]
    assert "manage.py migrate" in warning and ".".join(gone) in warning


def test_one_restore_at_a_time(edms: Site) -> None:
    job = backup_service.backup_execute(job=backup_service.backup_create(backup_type="database"))
    waiting = restore_service.restore_create(source=job.path)
    with pytest.raises(native.BusyError):
        restore_service.restore_create(source=job.path)
    with maintenance.restoring("another process"):
        ended = restore_service.restore_execute(job=waiting)
    assert ended.status == JobStatus.FAILED and ended.error["code"] == "busy"


def test_the_application_is_closed_while_a_restore_is_at_work(storage: Any) -> None:
    middleware = maintenance.MaintenanceMiddleware(lambda request: HttpResponse("open"))
    requests = RequestFactory()
    assert middleware(requests.get("/")).content == b"open"
    with maintenance.restoring("a test"):
        closed = middleware(requests.get("/"))
        assert (closed.status_code, closed["Retry-After"]) == (503, "30")
        assert middleware(requests.post("/api/v1/backup/jobs/")).status_code == 503
        assert middleware(requests.get("/api/v1/backup/restores/")).content == b"open"
    assert middleware(requests.get("/")).content == b"open"


def test_signals_are_sent_and_their_failures_change_nothing(edms: Site) -> None:
    heard: list[str] = []

    def listen(signal: Any, name: str) -> Any:
        def receiver(job: Any, **kwargs: Any) -> None:
            heard.append(name)
            raise RuntimeError("a receiver that fails")

        signal.connect(receiver, weak=False)
        return signal, receiver

    connected = [listen(pre_restore, "pre"), listen(post_restore, "post"), listen(backup_finished, "backup")]
    try:
        job = backup_service.backup_execute(job=backup_service.backup_create(backup_type="files"))
        edms.wipe()
        restore = restore_service.restore_create(source=job.path, options={"only": "files"})
        assert restore_service.restore_execute(job=restore).status == JobStatus.COMPLETED
    finally:
        for signal, receiver in connected:
            signal.disconnect(receiver)
    assert heard == ["backup", "pre", "post"]


def test_a_job_is_made_once(edms: Site) -> None:
    job = backup_service.backup_create(backup_type="database")
    backup_service.backup_execute(job=job)
    made = job.backup_id
    assert backup_service.backup_execute(job=BackupJob.objects.get(pk=job.pk)).backup_id == made
    waiting = backup_service.backup_create(backup_type="database")
    assert backup_service.backup_cancel(job=waiting).status == JobStatus.CANCELLED
    assert backup_service.backup_execute(job=waiting).status == JobStatus.CANCELLED
    old = timezone.now() - datetime.timedelta(days=1)
    assert BackupJob.objects.filter(created_at__gt=old).count() == 2


def test_damage_is_found(edms: Site) -> None:
    job = backup_service.backup_execute(job=backup_service.backup_create(backup_type="files"))
    assert backup_service.backup_verify(job=job)["status"] == "ok"
    archive = bytearray(Path(job.path).read_bytes())
    archive[len(archive) // 3] ^= 1
    os.chmod(job.path, 0o600)
    Path(job.path).write_bytes(archive)
    assert backup_service.backup_verify(job=job)["status"] == "damaged"
    assert BackupJob.objects.get().verification["damaged"]


def test_the_command_line_sees_the_same_repository(edms: Site) -> None:
    call_command("create_backup", "--type", "files", verbosity=0)
    assert selectors.system_status()["backups"] == 1
