"""Who may do what, on every endpoint."""

from __future__ import annotations

import uuid
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.management import call_command
from rest_framework.test import APIClient

from edms_backup.models import BackupConfiguration, BackupJob, RestoreJob

#: Method, path, permission: what a superuser is answered is checked elsewhere, here it is enough that it is neither 401 nor 403.
ENDPOINTS = [
    ("get", "configurations/", "view_backupconfiguration"),
    ("post", "configurations/", "add_backupconfiguration"),
    ("get", "configurations/{configuration}/", "view_backupconfiguration"),
    ("put", "configurations/{configuration}/", "change_backupconfiguration"),
    ("patch", "configurations/{configuration}/", "change_backupconfiguration"),
    ("delete", "configurations/{none}/", "delete_backupconfiguration"),
    ("post", "configurations/{none}/execute/", "add_backupjob"),
    ("post", "configurations/{configuration}/enable/", "change_backupconfiguration"),
    ("post", "configurations/{configuration}/disable/", "change_backupconfiguration"),
    ("get", "jobs/", "view_backupjob"),
    ("get", "jobs/{job}/", "view_backupjob"),
    ("get", "jobs/{job}/download/", "download_backupjob"),
    ("post", "jobs/{job}/verify/", "verify_backupjob"),
    ("post", "jobs/{job}/cancel/", "change_backupjob"),
    ("post", "system/create_export_package/", "add_backupjob"),
    ("get", "system/system_status/", "view_backupjob"),
    ("post", "system/run_health_check/", "add_healthcheck"),
    ("get", "restores/", "view_restorejob"),
    ("get", "restores/{restore}/", "view_restorejob"),
    ("post", "restores/restore_from_file/", "restore_system"),
    ("post", "restores/restore_from_backup/", "restore_system"),
    ("post", "restores/{restore}/undo/", "restore_system"),
    ("get", "health/", "view_healthcheck"),
    ("get", "health/latest_status/", "view_healthcheck"),
]


@pytest.fixture
def paths(storage: Any, transactional_db: None, settings: Any) -> dict[str, Any]:
    settings.EDMS_BACKUP = {**settings.EDMS_BACKUP, "RUNNER": "edms_backup.runners.ImmediateRunner"}
    return {
        "configuration": BackupConfiguration.objects.create(name="c").pk,
        "job": BackupJob.objects.create(backup_type="FULL", status="FAILED").pk,
        "restore": RestoreJob.objects.create(source="x", status="FAILED").pk,
        "none": uuid.uuid4(),
    }


def client_of(**fields: Any) -> APIClient:
    client = APIClient()
    client.force_authenticate(get_user_model().objects.create_user(str(uuid.uuid4()), password=None, **fields))
    return client


@pytest.mark.parametrize(("method", "path", "permission"), ENDPOINTS)
def test_each_action_needs_its_permission(paths: dict[str, Any], method: str, path: str, permission: str) -> None:
    url = "/api/v1/backup/" + path.format(**paths)

    def status(client: APIClient) -> int:
        return getattr(client, method)(url, {}, format="multipart" if "from_file" in path else "json").status_code

    assert status(APIClient()) == 401
    assert status(client_of()) == 403
    staff = client_of(is_staff=True)
    assert status(staff) == 403
    others = Permission.objects.filter(content_type__app_label="backup").exclude(codename=permission)
    nearly = client_of(is_staff=True)
    nearly.handler._force_user.user_permissions.set(others)
    assert status(nearly) == 403
    staff.handler._force_user.user_permissions.add(Permission.objects.get(content_type__app_label="backup", codename=permission))
    staff.force_authenticate(get_user_model().objects.get(pk=staff.handler._force_user.pk))
    not_staff = client_of()
    not_staff.handler._force_user.user_permissions.add(Permission.objects.get(content_type__app_label="backup", codename=permission))
    assert status(not_staff) == 403
    for allowed in (staff, client_of(is_staff=True, is_superuser=True)):
        answer = getattr(allowed, method)(url, {}, format="multipart" if "from_file" in path else "json")
        assert answer.status_code not in (401, 403, 500), answer.data
        if answer.status_code >= 400:
            assert set(answer.data) >= {"code", "detail", "hint"}


def test_no_endpoint_is_missing_from_the_matrix(paths: dict[str, Any]) -> None:
    from drf_spectacular.generators import SchemaGenerator

    schema = SchemaGenerator(urlconf="edms_backup.api.schema_urls").get_schema(request=None, public=True)
    found = {(method, path) for path, methods in schema["paths"].items() for method in methods if not path.endswith("/schema/")}
    names = dict.fromkeys(["configuration", "job", "restore", "none"], "{id}")
    assert found == {(method, "/api/v1/backup/" + path.format(**names)) for method, path, _ in ENDPOINTS}


def test_the_schema_has_no_warnings() -> None:
    out = StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, urlconf="edms_backup.api.schema_urls", stdout=out)
    assert "restore_from_file" in out.getvalue()


def test_the_schema_is_served_to_staff(paths: dict[str, Any]) -> None:
    assert APIClient().get("/api/v1/backup/schema/").status_code == 401
    assert client_of(is_staff=True).get("/api/v1/backup/schema/").status_code == 200


def test_requests_are_throttled(paths: dict[str, Any], settings: Any) -> None:
    settings.EDMS_BACKUP = {**settings.EDMS_BACKUP, "THROTTLE_RATE": "2/min"}
    client = client_of(is_staff=True, is_superuser=True)
    statuses = [client.get("/api/v1/backup/jobs/").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
