"""What the dashboard of the admin shows."""

from __future__ import annotations

import shutil
from typing import Any

from . import selectors
from .conf import backup_settings
from .models import HealthStatus, JobStatus

#: Backups in the chart of sizes.
_SHOWN = 30
#: Its size, in units of the drawing.
_WIDTH, _HEIGHT = 600, 120


def dashboard_context() -> dict[str, Any]:
    """The values of the dashboard's template."""
    made = list(selectors.jobs().filter(status__in=[JobStatus.COMPLETED, JobStatus.PARTIAL], bytes_stored__gt=0)[:_SHOWN])
    return {
        "status": selectors.system_status(),
        "bars": _bars(list(reversed(made))),
        "chart": {"width": _WIDTH, "height": _HEIGHT},
        "space": _space(),
        "upcoming": selectors.configurations().filter(is_enabled=True, next_run_at__isnull=False).order_by("next_run_at")[:5],
        "recent": selectors.jobs()[:10],
        "findings": [
            finding for check in selectors.health_latest() for finding in check.findings if finding["severity"] != HealthStatus.HEALTHY
        ],
    }


def _bars(jobs: list[Any]) -> list[dict[str, Any]]:
    """One bar for each backup, as high as it is large."""
    largest = max((job.bytes_stored for job in jobs), default=1)
    step = _WIDTH / _SHOWN
    return [
        {
            "job": job,
            "x": round(index * step, 1),
            "y": round(_HEIGHT - height, 1),
            "width": round(step * 0.8, 1),
            "height": round(height, 1),
        }
        for index, job in enumerate(jobs)
        for height in [max(2.0, _HEIGHT * job.bytes_stored / largest)]
    ]


def _space() -> dict[str, int] | None:
    """Bytes of the file system that the backups are on."""
    try:
        usage = shutil.disk_usage(backup_settings.repository)
    except OSError:
        return None
    return {"free": usage.free, "total": usage.total, "percent": round(100 * usage.free / usage.total)}
