"""Is all well: the engine's checks, and what they found before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from . import native, site
from .models import BackupConfiguration, CheckType, HealthCheck, HealthStatus, SystemMetric
from .services import schedule_service

#: A configuration whose slot has waited longer is late.
_LATE_SECONDS = 3600.0
_ORDER = [HealthStatus.HEALTHY, HealthStatus.UNKNOWN, HealthStatus.WARNING, HealthStatus.CRITICAL]


def health_check_run(*, check_types: Sequence[str] | None = None) -> list[HealthCheck]:
    """Makes the checks (all of them when none is named) and keeps what they found."""
    report = native.run("health", site.request(check=list(check_types or CheckType.values)))
    for found in report["checks"]:
        if found["check"] == CheckType.BACKUP_SYSTEM:
            _judge_schedule(found)
    checked_at = parse_datetime(report["checked_at"])
    checks, metrics = [], []
    for found in report["checks"]:
        troubles = [finding["message"] for finding in found["findings"] if finding["severity"] != HealthStatus.HEALTHY]
        checks.append(
            HealthCheck(
                check_type=found["check"],
                status=found["status"],
                message="; ".join(troubles),
                findings=found["findings"],
                checked_at=checked_at,
            )
        )
        metrics += [
            SystemMetric(name=finding["code"], subject=finding.get("subject", ""), value=finding["value"], unit=finding["unit"], recorded_at=checked_at)
            for finding in found["findings"]
            if finding.get("value") is not None
        ]
    with transaction.atomic():
        HealthCheck.objects.bulk_create(checks)
        SystemMetric.objects.bulk_create(metrics)
    return checks


def _judge_schedule(found: dict[str, Any]) -> None:
    """Configurations are rows here, not entries of the engine's configuration file: whether they are late is found here."""
    others = [finding for finding in found["findings"] if finding["code"] != "schedule_late"]
    late = []
    for configuration, slot in schedule_service.due():
        seconds = (timezone.now() - slot).total_seconds()
        if seconds > _LATE_SECONDS:
            late.append((configuration.name, seconds))
    own = [
        {
            "check": CheckType.BACKUP_SYSTEM,
            "severity": HealthStatus.WARNING,
            "code": "schedule_late",
            "subject": name,
            "message": f"{name} has been waiting for its run for {seconds / 3600:.1f} hours",
            "advice": "Let `manage.py backup_scheduler --run-scheduled` run every few minutes.",
            "value": seconds,
            "unit": "seconds",
        }
        for name, seconds in late
    ]
    if not BackupConfiguration.objects.filter(is_enabled=True).exists():
        own.append(
            {
                "check": CheckType.BACKUP_SYSTEM,
                "severity": HealthStatus.WARNING,
                "code": "schedule_late",
                "message": "no configuration is turned on: backups are made by hand only",
                "advice": "`manage.py backup_scheduler --create-config` makes a sensible schedule.",
                "unit": "seconds",
            }
        )
    found["findings"] = sorted([*own, *others], key=lambda finding: -_ORDER.index(finding["severity"]))
    found["status"] = max((finding["severity"] for finding in found["findings"]), key=_ORDER.index, default=HealthStatus.HEALTHY)


def summary(checks: Sequence[HealthCheck]) -> dict[str, Any]:
    """Several checks together: the worst of them, and when they were made."""
    return {
        "status": max((check.status for check in checks), key=_ORDER.index, default=HealthStatus.UNKNOWN),
        "checked_at": max((check.checked_at for check in checks), default=None),
        "checks": checks,
    }
