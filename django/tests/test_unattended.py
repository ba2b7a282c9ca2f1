"""Retention and health, through the engine."""

from __future__ import annotations

import datetime
import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from edms_backup import health_service, native, selectors
from edms_backup.models import BackupConfiguration, BackupJob, HealthCheck, JobStatus, SystemMetric
from edms_backup.services import backup_service, retention_service, schedule_service

pytestmark = pytest.mark.django_db(transaction=True)


def test_retention_follows_a_complete_backup(storage: Any) -> None:
    kept = BackupConfiguration.objects.create(name="kept", backup_type="DATABASE", max_backups=3, retention_days=None)
    for _ in range(5):
        job = schedule_service.configuration_run(configuration=kept, trigger="command")
        assert job.status == JobStatus.COMPLETED, job.error
    assert BackupJob.objects.count() == 5
    assert BackupJob.objects.exclude(path="").count() == 3
    assert len(native.run("list", {"repository": storage.parent / "backups"})) == 3


def test_prune_keeps_what_no_rule_drops(storage: Any) -> None:
    configuration = BackupConfiguration.objects.create(name="daily", backup_type="DATABASE", max_backups=None, retention_days=None)
    for _ in range(5):
        schedule_service.configuration_run(configuration=configuration, trigger="command")
    assert retention_service.prune()[0]["deleted"] == []
    BackupConfiguration.objects.update(max_backups=4)
    (plan,) = retention_service.prune(dry_run=True)
    assert "deleted" not in plan and BackupJob.objects.exclude(path="").count() == 5
    out = StringIO()
    call_command("backup_scheduler", "--prune", stdout=out)
    assert out.getvalue().startswith("deleted ")
    assert BackupJob.objects.exclude(path="").count() == 4


def test_health_is_looked_at_and_kept(storage: Any) -> None:
    checks = {check.check_type: check for check in health_service.health_check_run()}
    assert set(checks) == {"DATABASE", "STORAGE", "APPLICATION", "BACKUP_SYSTEM", "SECURITY"}
    assert checks["BACKUP_SYSTEM"].status == "CRITICAL", "there is no backup yet"
    assert any(finding.get("advice") for finding in checks["BACKUP_SYSTEM"].findings)
    assert HealthCheck.objects.count() == 5 and SystemMetric.objects.exists()
    assert health_service.summary(selectors.health_latest())["status"] == "CRITICAL"
    (only,) = health_service.health_check_run(check_types=["DATABASE"])
    assert only.check_type == "DATABASE" and len(selectors.health_latest()) == 5
    with pytest.raises(CommandError, match="BACKUP_SYSTEM is critical"):
        call_command("backup_scheduler", "--health-check", stdout=StringIO())


def test_a_configuration_that_waits_is_late(storage: Any) -> None:
    def late() -> list[str]:
        (check,) = health_service.health_check_run(check_types=["BACKUP_SYSTEM"])
        return [finding["message"] for finding in check.findings if finding["code"] == "schedule_late"]

    assert "by hand only" in late()[0]
    configuration = BackupConfiguration.objects.create(name="daily", backup_type="DATABASE")
    assert late() == []
    BackupConfiguration.objects.update(created_at=timezone.now() - datetime.timedelta(days=3), schedule_time=(timezone.now() - datetime.timedelta(hours=2)).time())
    assert "daily has been waiting" in late()[0]
    assert configuration.name == "daily"


def test_the_journal_says_who(storage: Any) -> None:
    from django.contrib.auth import get_user_model

    user = get_user_model().objects.create_user("ada")
    backup_service.backup_execute(job=backup_service.backup_create(backup_type="database", requested_by=user))
    entries = native.run("audit", {"repository": storage.parent / "backups"})
    (made,) = [entry for entry in entries if entry["action"] == "create"]
    assert (made["who"]["user"], made["who"]["face"], made["result"]) == ("ada", "django", "success"), json.dumps(made)
