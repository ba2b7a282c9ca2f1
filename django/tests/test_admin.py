"""The admin pages: from the first configuration to a restore and its undo, without JavaScript."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connections
from django.test import Client
from django.urls import reverse

from edms_backup.models import BackupConfiguration, BackupJob, JobStatus, RestoreJob
from edms_backup.services import backup_service

from .conftest import Site


@pytest.fixture
def operator(edms: Site, settings: Any) -> Client:
    """The superuser's browser; jobs are done before the answer."""
    settings.EDMS_BACKUP = {**settings.EDMS_BACKUP, "RUNNER": "edms_backup.runners.ImmediateRunner"}
    client = Client()
    client.force_login(get_user_model().objects.get(username="admin"))
    return client


def page(client: Client, name: str, *args: Any) -> str:
    """The text of a page."""
    answer = client.get(reverse(f"admin:backup_{name}", args=args))
    assert answer.status_code == 200, answer
    return answer.content.decode()


def post(client: Client, page_name: str, /, *args: Any, **fields: Any) -> Any:
    """The answer to a form."""
    answer = client.post(reverse(f"admin:backup_{page_name}", args=args), fields)
    connections.close_all()
    return answer


def test_the_journey_of_an_operator(operator: Client, edms: Site) -> None:
    assert "No backups yet" in page(operator, "backupjob_dashboard")
    fields = {
        "name": "nightly",
        "backup_type": "FULL",
        "frequency": "DAILY",
        "schedule_time": "02:00:00",
        "retention_days": "30",
        "max_backups": "10",
        "compression_enabled": "on",
        "is_enabled": "on",
    }
    assert post(operator, "backupconfiguration_add", **fields).status_code == 302
    configuration = BackupConfiguration.objects.get()
    assert configuration.next_run_at
    post(operator, "backupconfiguration_changelist", action="run_now", _selected_action=str(configuration.pk))
    job = BackupJob.objects.get()
    assert (job.status, job.trigger, job.requested_by_name) == (JobStatus.COMPLETED, "admin", "admin"), job.error

    shown = page(operator, "backupjob_change", job.pk)
    assert "Download" in shown and "Restore…" in shown and "data-progress" not in shown
    archive = operator.get(reverse("admin:backup_backupjob_download", args=[job.pk]))
    assert sum(map(len, archive.streaming_content)) == job.bytes_stored
    post(operator, "backupjob_verify", job.pk)
    assert BackupJob.objects.get().verification["status"] == "ok"
    post(operator, "backupjob_rehearse", job.pk)
    found = BackupJob.objects.get().verification
    assert (found["status"], found["rehearsed"]) == ("ok", True), found
    board = page(operator, "backupjob_dashboard")
    assert job.backup_id in board and "<rect" in board and "nightly" in board

    before = edms.state()
    for path in edms.storage.rglob("*.svg"):
        path.unlink()
    lost = edms.state()
    plan = page(operator, "backupjob_restore", job.pk)
    assert "exchanged with it" in plan and str(edms.storage / "media") in plan
    assert b"Nothing was changed" in operator.post(reverse("admin:backup_backupjob_restore", args=[job.pk]), {"confirmation": "yes"}).content
    assert edms.state() == lost and not RestoreJob.objects.exists()
    post(operator, "backupjob_restore", job.pk, part="files", confirmation=job.backup_id)
    restore = RestoreJob.objects.get()
    assert restore.status == JobStatus.COMPLETED, restore.error
    assert edms.state()[1] == before[1]

    assert "type its id" in page(operator, "restorejob_change", restore.pk)
    post(operator, "restorejob_undo", restore.pk, confirmation="no")
    assert edms.files() == before[1]
    post(operator, "restorejob_undo", restore.pk, confirmation=restore.restore_id)
    assert edms.files() == lost[1]
    assert "type its id" not in page(operator, "restorejob_change", restore.pk)


def test_the_whole_system_is_restored_and_taken_back(operator: Client, edms: Site) -> None:
    job = backup_service.backup_execute(job=backup_service.backup_create(backup_type="full"))
    before = edms.state()
    get_user_model().objects.filter(username="ada").update(username="eve")
    after = edms.state()
    post(operator, "backupjob_restore", job.pk, confirmation=job.backup_id)
    assert edms.state() == before
    operator.force_login(get_user_model().objects.get(username="admin"))
    restore = RestoreJob.objects.get()
    post(operator, "restorejob_undo", restore.pk, confirmation=restore.restore_id)
    assert edms.rows()["auth.User"][1][4] == after[0]["auth.User"][1][4] == "eve"


def test_a_running_job_shows_its_progress_and_is_cancelled(operator: Client) -> None:
    progress = {"phase": "files", "bytes_done": 5, "bytes_total": None}
    job = BackupJob.objects.create(backup_type="FULL", status=JobStatus.RUNNING, progress=progress)
    shown = page(operator, "backupjob_change", job.pk)
    assert "data-progress" in shown and "files" in shown
    told = operator.get(reverse("admin:backup_backupjob_progress", args=[job.pk])).json()
    assert told == {"status": "RUNNING", "active": True, "progress": progress}
    post(operator, "backupjob_cancel", job.pk)
    assert BackupJob.objects.get().cancel_requested


def test_a_failure_is_shown_with_its_way_out(operator: Client) -> None:
    error = {"code": "no_space", "message": "the archive <cannot> be written", "hint": "Free space.", "causes": ["disk full"]}
    job = BackupJob.objects.create(backup_type="FULL", status=JobStatus.FAILED, error=error)
    shown = page(operator, "backupjob_change", job.pk)
    assert "the archive &lt;cannot&gt; be written: disk full" in shown and "Free space." in shown


def test_what_is_not_allowed_is_neither_shown_nor_done(operator: Client, edms: Site) -> None:
    job = backup_service.backup_execute(job=backup_service.backup_create(backup_type="files"))
    looker = get_user_model().objects.create_user("looker", is_staff=True)
    looker.user_permissions.set(Permission.objects.filter(content_type__app_label="backup", codename__startswith="view_"))
    client = Client()
    client.force_login(looker)
    shown = page(client, "backupjob_change", job.pk)
    assert not any(word in shown for word in ("Download", "Verify</button>", "Restore…"))
    assert page(client, "backupjob_dashboard")
    assert client.get(reverse("admin:backup_backupjob_download", args=[job.pk])).status_code == 403
    assert client.get(reverse("admin:backup_backupjob_restore", args=[job.pk])).status_code == 403
    for name in ("backupjob_verify", "backupjob_rehearse", "backupjob_cancel", "backupjob_restore"):
        assert post(client, name, job.pk, confirmation=job.backup_id).status_code == 403
    assert client.get(reverse("admin:backup_backupjob_verify", args=[job.pk])).status_code == 405
    anonymous = Client().get(reverse("admin:backup_backupjob_dashboard"))
    assert anonymous.status_code == 302 and "login" in anonymous["Location"]
