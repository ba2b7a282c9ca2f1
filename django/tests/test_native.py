"""The engine from Python, without Django."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from edms_backup import native


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "a.txt").write_text("ä")
    return folder


def test_it_needs_no_django() -> None:
    code = "import sys; from edms_backup import native; print(native.version()); assert 'django' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.count(".") == 2


def test_a_round_trip(tmp_path: Path, documents: Path) -> None:
    site = {"repository": tmp_path / "backups", "files": {"documents": documents}}
    with native.start("create", {"kind": "files", **site}) as job:
        assert job.wait()
        record = job.result()
        assert job.progress()["state"] == "succeeded"
    assert record["status"] == "COMPLETE"
    assert [one["id"] for one in native.run("list", site)] == [record["id"]]
    done = native.run("restore", {"source": record["id"], "target": tmp_path / "out", **site})
    assert done["files"] == 1
    assert (tmp_path / "out/documents/a.txt").read_text() == "ä"


@pytest.mark.parametrize(
    ("command", "request_", "kind", "code"),
    [
        ("creat", {}, native.UsageError, "usage"),
        ("create", {"kind": "files", "output": "/tmp"}, native.UsageError, "no_files"),
        ("list", {"repository": "/nonexistent"}, native.NotFoundError, "no_repository"),
        ("verify", {"source": "/nonexistent/x"}, native.NotFoundError, "not_found"),
        ("verify", {"source": "/dev/null"}, native.ArchiveError, "not_a_file"),
    ],
)
def test_one_class_for_each_kind_of_failure(command: str, request_: dict[str, object], kind: type[native.EngineError], code: str) -> None:
    with pytest.raises(kind) as caught:
        native.run(command, request_)
    assert caught.value.code == code
    assert caught.value.as_dict()["message"] in str(caught.value)


def test_cancelling_leaves_nothing(tmp_path: Path, documents: Path) -> None:
    (documents / "large").write_bytes(bytes(range(256)) * (1 << 18))
    request = {"kind": "files", "repository": tmp_path / "backups", "files": {"documents": documents}, "level": 12, "jobs": 1}
    with native.start("create", request) as job:
        with pytest.raises(native.RunningError):
            job.result()
        job.cancel()
        assert job.wait(60)
        with pytest.raises(native.CancelledError):
            job.result()
    assert list((tmp_path / "backups/backups").iterdir()) == []


def test_closing_while_another_thread_waits(tmp_path: Path, documents: Path) -> None:
    (documents / "large").write_bytes(bytes(range(256)) * (1 << 18))
    request = {"kind": "files", "output": tmp_path, "files": {"documents": documents}, "level": 12, "jobs": 1}
    job = native.start("create", request)
    ended = []
    waiter = threading.Thread(target=lambda: ended.append(job.wait()))
    waiter.start()
    job.close()
    job.close()
    waiter.join(60)
    assert ended in ([True], [])
    with pytest.raises(ValueError, match="closed"):
        job.progress()


def test_other_threads_go_on_while_one_waits(tmp_path: Path, documents: Path) -> None:
    (documents / "large").write_bytes(os.urandom(1 << 20) * 64)
    counted = 0
    with native.start("create", {"kind": "files", "output": tmp_path, "files": {"documents": documents}}) as job:
        waiter = threading.Thread(target=job.wait)
        waiter.start()
        while waiter.is_alive():
            counted += 1
        waiter.join()
    assert counted > 1000


def test_a_child_of_fork_is_told(tmp_path: Path, documents: Path) -> None:
    with native.start("create", {"kind": "files", "output": tmp_path, "files": {"documents": documents}}) as job:
        child = os.fork()
        if child == 0:
            try:
                job.progress()
            except native.WrongProcessError:
                job.close()
                os._exit(7)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        assert job.wait(60)
        assert job.result()["status"] == "COMPLETE"
