"""Configurations: one run for each slot, caught up once, by one process."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.utils import timezone

from edms_backup import native
from edms_backup.models import BackupConfiguration, BackupJob, JobStatus
from edms_backup.services import schedule_service

pytestmark = pytest.mark.django_db(transaction=True)
UTC = datetime.timezone.utc


def at(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=UTC)


def daily(**fields: Any) -> BackupConfiguration:
    return BackupConfiguration.objects.create(**{"name": "daily", "backup_type": "DATABASE", "created_at": at("2026-03-01 12:00"), **fields})


def test_one_run_for_each_slot(storage: Any) -> None:
    daily()
    assert schedule_service.run_due(now=at("2026-03-02 01:59")) == []
    (job,) = schedule_service.run_due(now=at("2026-03-02 02:00"))
    assert job.status == JobStatus.COMPLETED and job.trigger == "schedule", job.error
    assert schedule_service.run_due(now=at("2026-03-02 23:00")) == []
    assert BackupConfiguration.objects.get().next_run_at > timezone.now()


def test_missed_slots_are_caught_up_once(storage: Any) -> None:
    daily()
    assert len(schedule_service.run_due(now=at("2026-03-20 08:00"))) == 1
    assert schedule_service.run_due(now=at("2026-03-20 09:00")) == []


def test_a_slot_is_claimed_by_one_process(storage: Any) -> None:
    daily()
    (waiting,) = schedule_service.due(now=at("2026-03-02 03:00"))
    BackupConfiguration.objects.update(last_slot_at=waiting[1])
    stale = BackupConfiguration(**{field.attname: getattr(waiting[0], field.attname) for field in BackupConfiguration._meta.fields})
    assert not BackupConfiguration.objects.filter(pk=stale.pk, last_slot_at=stale.last_slot_at).update(last_slot_at=waiting[1])
    assert schedule_service.run_due(now=at("2026-03-02 03:00")) == []


def test_a_configuration_that_fails_does_not_keep_the_others_from_running(storage: Any) -> None:
    daily(name="a", backup_type="FILES", storage_path="/proc/nonexistent")
    daily(name="b")
    jobs = schedule_service.run_due(now=at("2026-03-02 03:00"))
    assert [(job.configuration_name or job.configuration.name, job.status) for job in jobs] == [("a", "FAILED"), ("b", "COMPLETED")]
    assert BackupJob.objects.get(status="FAILED").error["message"]


def test_off_is_off_and_what_was_missed_stays_missed(storage: Any) -> None:
    configuration = daily(is_enabled=False)
    assert schedule_service.run_due(now=at("2026-03-02 03:00")) == []
    schedule_service.configuration_enable(configuration=configuration, is_enabled=True)
    assert schedule_service.run_due() == []


def test_the_zone_of_a_configuration_counts(storage: Any) -> None:
    daily(time_zone="America/New_York")
    assert schedule_service.due(now=at("2026-03-02 06:59")) == []
    ((_, slot),) = schedule_service.due(now=at("2026-03-02 07:00"))
    assert slot == at("2026-03-02 07:00")
    with pytest.raises(native.UsageError):
        schedule_service.configuration_check(frequency="DAILY", time_zone="Mars/Olympus")
