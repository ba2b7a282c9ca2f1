"""The REST API over real HTTP: the whole cycle, ranges, keys, and what happens to a restore and its uploads."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connections
from rest_framework.authtoken.models import Token

from edms_backup.maintenance import restoring
from edms_backup.models import BackupJob, JobStatus, RestoreJob

from .conftest import Site, eventually


class Client:
    """An HTTP client with a token."""

    def __init__(self, url: str, token: str) -> None:
        self._url = f"{url}/api/v1/backup/"
        self._token = token

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, Any]:
        """Status, body (parsed when it is JSON) and headers of an answer."""
        data = None
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(body, bytes):
            data = body
        elif body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        headers["Authorization"] = f"Token {self._token}"
        # What is asked may exchange the database below this thread's connection.
        connections.close_all()
        request = urllib.request.Request(self._url + path, data=data, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return _told(answer.status, answer)
        except urllib.error.HTTPError as answer:
            return _told(answer.code, answer)

    def get(self, path: str, **headers: str) -> Any:
        """The body of an answer 200."""
        status, body, _ = self.call("GET", path, **headers)
        assert status == 200, body
        return body

    def upload(self, path: str, content: bytes, fields: dict[str, str] | None = None, **headers: str) -> tuple[int, Any, Any]:
        """A multipart POST with one file."""
        mark = uuid.uuid4().hex
        parts = [f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode() for name, value in (fields or {}).items()]
        parts.append(f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="../../x.tar.gz"\r\n\r\n'.encode() + content + b"\r\n")
        parts.append(f"--{mark}--\r\n".encode())
        return self.call("POST", path, b"".join(parts), **{"Content_Type": f"multipart/form-data; boundary={mark}", **headers})

    def ended(self, path: str) -> Any:
        """A job once it has ended."""

        def look() -> Any:
            status, body, _ = self.call("GET", path)
            return body if status == 200 and body["status"] not in ("PENDING", "RUNNING") else None

        return eventually(look)


def _told(status: int, answer: Any) -> tuple[int, Any, Any]:
    body = answer.read()
    is_json = "json" in (answer.headers.get("Content-Type") or "")
    return status, json.loads(body) if is_json and body else body, answer.headers


@pytest.fixture
def client(edms: Site, live_server: Any) -> Client:
    """The client of the superuser."""
    return Client(live_server.url, Token.objects.create(user=get_user_model().objects.get(username="admin")).key)


@pytest.fixture
def full(client: Client) -> dict[str, Any]:
    """A full backup, made through the API."""
    status, configuration, _ = client.call("POST", "configurations/", {"name": "full", "frequency": "ON_DEMAND"})
    assert status == 201, configuration
    status, job, _ = client.call("POST", f"configurations/{configuration['id']}/execute/")
    assert status == 202 and job["status"] in ("PENDING", "RUNNING", "COMPLETED")
    ended = client.ended(f"jobs/{job['id']}/")
    assert ended["status"] == "COMPLETED", ended
    return ended


def left_uploads(settings: Any) -> list[Path]:
    return list((Path(settings.EDMS_BACKUP["REPOSITORY"]) / "django/uploads").glob("*"))


def test_the_whole_cycle(client: Client, full: dict[str, Any], edms: Site, settings: Any) -> None:
    before = edms.state()
    status, job, _ = client.call("POST", f"jobs/{full['id']}/verify/", {})
    assert status == 202
    eventually(lambda: client.get(f"jobs/{full['id']}/")["verification"])
    assert client.get(f"jobs/{full['id']}/")["verification"]["status"] == "ok"
    archive = client.get(f"jobs/{full['id']}/download/")
    assert len(archive) == full["bytes_stored"]

    token = Token.objects.get()
    edms.wipe()
    admin = get_user_model().objects.create_superuser("admin2", password="x")
    Token.objects.create(user=admin, key=token.key)
    status, restore, _ = client.upload("restores/restore_from_file/", archive, {"verify": "true"})
    assert status == 202, restore
    # The token of before the backup is there again: the user who asked is not.
    ended = client.ended(f"restores/{restore['id']}/")
    assert ended["status"] == "COMPLETED", ended
    assert ended["result"]["verified"] and ended["requested_by_name"] == "admin2"
    assert edms.state() == before
    assert left_uploads(settings) == []

    status, undone, _ = client.call("POST", f"restores/{restore['id']}/undo/")
    assert status == 200 and undone["undone_at"], undone
    assert edms.files() == {}
    assert get_user_model().objects.get().username == "admin2"


def test_a_backup_of_the_repository_is_restored(client: Client, full: dict[str, Any], edms: Site) -> None:
    before = edms.state()
    (edms.storage / "media/covers/cover-1.svg").unlink()
    request = {"backup_job": full["id"], "restore_type": "files"}
    status, plan, _ = client.call("POST", "restores/restore_from_backup/", {**request, "dry_run": True})
    assert status == 200 and plan["problems"] == [] and "database" not in plan
    assert edms.state() != before and not RestoreJob.objects.exists()
    status, restore, _ = client.call("POST", "restores/restore_from_backup/", request, Idempotency_Key="k1")
    assert status == 202
    assert client.ended(f"restores/{restore['id']}/")["status"] == "COMPLETED"
    assert edms.state() == before
    status, same, _ = client.call("POST", "restores/restore_from_backup/", request, Idempotency_Key="k1")
    assert (status, same["id"]) == (202, restore["id"])


def test_ranges(client: Client, full: dict[str, Any]) -> None:
    path, size = f"jobs/{full['id']}/download/", full["bytes_stored"]
    whole = client.get(path)
    for header, first, last in [("bytes=0-9", 0, 9), ("bytes=10-", 10, size - 1), ("bytes=-7", size - 7, size - 1), (f"bytes=5-{size * 2}", 5, size - 1)]:
        status, part, headers = client.call("GET", path, Range=header)
        assert (status, part) == (206, whole[first : last + 1]), header
        assert headers["Content-Range"] == f"bytes {first}-{last}/{size}"
    status, _, headers = client.call("GET", path, Range=f"bytes={size}-")
    assert (status, headers["Content-Range"]) == (416, f"bytes */{size}")
    for ignored in ("bytes=9-3", "lines=1-2", "bytes=0-1,4-5", "bytes=-"):
        assert client.call("GET", path, Range=ignored)[0] == 200
    assert client.call("GET", path, Range="bytes=0-9", If_Range='"other"')[0] == 200
    assert client.call("GET", path, Range="bytes=0-9", If_Range=f'"{full["sha256"]}"')[0] == 206


def test_the_web_server_may_send_the_file(client: Client, full: dict[str, Any], settings: Any) -> None:
    settings.EDMS_BACKUP = {**settings.EDMS_BACKUP, "SENDFILE_HEADER": "X-Accel-Redirect"}
    _, body, headers = client.call("GET", f"jobs/{full['id']}/download/")
    assert body == b"" and headers["X-Accel-Redirect"] == f"/protected-backups/{Path(full['path']).name}"
    settings.EDMS_BACKUP = {**settings.EDMS_BACKUP, "SENDFILE_HEADER": "X-Sendfile"}
    _, body, headers = client.call("GET", f"jobs/{full['id']}/download/")
    assert headers["X-Sendfile"] == full["path"]


def test_a_repeated_request_starts_no_second_job(client: Client, full: dict[str, Any]) -> None:
    path = f"configurations/{full['configuration']}/execute/"
    first, second, other = (client.call("POST", path, Idempotency_Key=key)[1]["id"] for key in ("a", "a", "b"))
    assert first == second != other
    for job in (first, other):
        client.ended(f"jobs/{job}/")
    status, error, _ = client.call("POST", path, Idempotency_Key="x" * 61)
    assert (status, error["code"]) == (400, "bad_idempotency_key")


def test_bad_uploads_change_nothing_and_leave_nothing(client: Client, full: dict[str, Any], edms: Site, settings: Any) -> None:
    archive = Path(full["path"]).read_bytes()
    before = edms.state()
    damaged = bytearray(archive)
    damaged[len(archive) // 3] ^= 0xFF
    for content, codes in [
        (b"", {"invalid"}),
        (b"no archive at all" * 1000, {"not_an_archive"}),
        (archive[: len(archive) // 2], {"damaged", "not_an_archive", "not_a_backup"}),
        (bytes(damaged), {"damaged"}),
    ]:
        status, error, _ = client.upload("restores/restore_from_file/", content)
        assert 400 <= status < 500 and error["code"] in codes, error
        assert error["hint"], error
    settings.EDMS_BACKUP = {**settings.EDMS_BACKUP, "MAX_UPLOAD_BYTES": 1000}
    try:
        status, error, _ = client.upload("restores/restore_from_file/", archive)
        assert (status, error["code"]) == (413, "upload_too_large")
    except urllib.error.URLError as error:
        # The server stops reading: the client may not get to the answer.
        assert isinstance(error.reason, ConnectionError)
    assert edms.state() == before
    assert left_uploads(settings) == [] and not RestoreJob.objects.exists()


def test_a_second_restore_is_refused(client: Client, full: dict[str, Any]) -> None:
    request = {"backup_job": full["id"], "restore_type": "files"}
    with restoring("the first"):
        status, error, _ = client.call("POST", "restores/restore_from_backup/", request)
        # The application is closed meanwhile, but for those who watch.
        assert (status, error["code"]) == (503, "restoring")
        assert client.get("jobs/")["count"] == 1
    RestoreJob.objects.create(source="x", status=JobStatus.RUNNING)
    status, error, _ = client.call("POST", "restores/restore_from_backup/", request)
    assert (status, error["code"]) == (409, "busy")


def test_a_job_is_cancelled(client: Client, full: dict[str, Any], edms: Site, settings: Any) -> None:
    settings.EDMS_BACKUP = {**settings.EDMS_BACKUP, "JOBS": 1, "HEARTBEAT_SECONDS": 0.05}
    (edms.storage / "media/large.bin").write_bytes(bytes(range(256)) * (1 << 20))
    status, job, _ = client.call("POST", f"configurations/{full['configuration']}/execute/")
    eventually(lambda: client.get(f"jobs/{job['id']}/")["progress"])
    assert client.call("POST", f"jobs/{job['id']}/cancel/")[0] == 202
    ended = client.ended(f"jobs/{job['id']}/")
    assert (ended["status"], ended["error"]["code"], ended["path"]) == ("CANCELLED", "cancelled", "")
    status, error, _ = client.call("POST", f"jobs/{job['id']}/cancel/")
    assert (status, error["code"]) == (409, "not_running")


def test_lists_are_paged_filtered_and_ordered(client: Client, full: dict[str, Any]) -> None:
    for number in range(3):
        BackupJob.objects.create(backup_type="FILES", status=JobStatus.FAILED, bytes_stored=number)
    page = client.get("jobs/?page_size=2")
    assert page["count"] == 4 and len(page["results"]) == 2 and page["next"]
    assert client.get("jobs/?status=COMPLETED")["count"] == 1
    assert client.get(f"jobs/?search={full['backup_id']}")["count"] == 1
    assert client.get("jobs/?ordering=-bytes_stored")["results"][0]["id"] == full["id"]
    assert client.call("GET", "jobs/?status=SOMEHOW")[0] == 400


def test_configurations_are_validated(client: Client) -> None:
    for change, field in [({"time_zone": "Mars/Olympus"}, "time_zone"), ({"backup_type": "HALF"}, "backup_type"), ({"storage_path": "x"}, "storage_path")]:
        status, error, _ = client.call("POST", "configurations/", {"name": "n", **change})
        assert status == 400 and error["code"] == "invalid" and field in error["fields"], error
    status, made, _ = client.call("POST", "configurations/", {"name": "n", "schedule_time": "03:00:00", "time_zone": "Europe/Berlin"})
    assert status == 201 and made["next_run_at"]
    status, off, _ = client.call("POST", f"configurations/{made['id']}/disable/")
    assert (status, off["is_enabled"], off["next_run_at"]) == (200, False, None)
    assert client.call("POST", f"configurations/{made['id']}/enable/")[1]["is_enabled"]
    assert client.call("PATCH", f"configurations/{made['id']}/", {"max_backups": 3})[1]["max_backups"] == 3
    assert client.call("DELETE", f"configurations/{made['id']}/")[0] == 204


def test_the_status_finds_backups_that_no_row_knows(client: Client, full: dict[str, Any]) -> None:
    BackupJob.objects.all().delete()
    status = client.get("system/system_status/")
    assert status["backups"] == 1 and status["last_complete_backup"]["backup_id"] == full["backup_id"]
    Path(full["path"]).unlink()
    assert client.get("system/system_status/")["backups"] == 0


def test_no_password_gets_out(client: Client, full: dict[str, Any], settings: Any) -> None:
    from django.db import connections

    configured = connections["default"].settings_dict
    configured["PASSWORD"] = "canary-7Q"
    try:
        client.call("POST", f"configurations/{full['configuration']}/execute/")
        eventually(lambda: not BackupJob.objects.filter(status__in=["PENDING", "RUNNING"]).exists())
        told = [client.call("GET", path)[1] for path in ("jobs/", "configurations/", "system/system_status/", "restores/")]
        assert "canary-7Q" not in json.dumps(told)
    finally:
        configured["PASSWORD"] = ""
