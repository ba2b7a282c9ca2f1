"""Is all well: the engine's checks, and what they found before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.dateparse import parse_datetime

from . import native, site
from .models import CheckType, HealthCheck, HealthStatus, SystemMetric

_ORDER = [HealthStatus.HEALTHY, HealthStatus.UNKNOWN, HealthStatus.WARNING, HealthStatus.CRITICAL]


def health_check_run(*, check_types: Sequence[str] | None = None) -> list[HealthCheck]:
    """Makes the checks (all of them when none is named) and keeps what they found."""
    report = native.run("health", site.request(check=list(check_types or CheckType.values)))
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


def summary(checks: Sequence[HealthCheck]) -> dict[str, Any]:
    """Several checks together: the worst of them, and when they were made."""
    return {
        "status": max((check.status for check in checks), key=_ORDER.index, default=HealthStatus.UNKNOWN),
        "checked_at": max((check.checked_at for check in checks), default=None),
        "checks": checks,
    }
