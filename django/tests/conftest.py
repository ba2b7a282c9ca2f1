"""A site for each test: the sample EDMS with documents, in folders and a repository of its own."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.files.storage import storages
from django.core.management import call_command
from django.db import connections


@pytest.fixture
def storage(tmp_path: Path, settings: Any) -> Path:
    """Empty folders for media, documents and backups; settings name them."""
    root = tmp_path / "storage"
    for name in ("media", "documents"):
        (root / name).mkdir(parents=True)
    settings.MEDIA_ROOT = str(root / "media")
    settings.STORAGES = {**settings.STORAGES, "documents": {**settings.STORAGES["documents"], "OPTIONS": {"location": root / "documents"}}}
    settings.EDMS_BACKUP = {
        "REPOSITORY": tmp_path / "backups",
        "CHECKSUMS": {"documents.DocumentVersion.file": "file_checksum"},
        "HEARTBEAT_SECONDS": 0.1,
        "JOBS": 2,
        "THROTTLE_RATE": None,
    }
    from apps.documents.models import DocumentVersion

    field = DocumentVersion._meta.get_field("file")
    before = field.storage
    field.storage = storages["documents"]
    yield root
    field.storage = before


@pytest.fixture
def edms(storage: Path, transactional_db: None) -> "Site":
    """The sample EDMS with five documents."""
    call_command("load_sample", documents=5, verbosity=0)
    yield Site(storage)
    # A restore may have ended this thread's connection.
    connections.close_all()


class Site:
    """The sample EDMS, looked at."""

    def __init__(self, storage: Path) -> None:
        self.storage = storage

    def files(self) -> dict[str, str]:
        """Digest of every file, by path."""
        return {
            str(path.relative_to(self.storage)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.storage.rglob("*"))
            if path.is_file() and ".edms-restore" not in str(path)
        }

    def rows(self) -> dict[str, list[Any]]:
        """Every row of the documents application, and the users."""
        from django.apps import apps

        # A restore in another thread may have ended this one's connection.
        connections.close_all()
        models = [*apps.get_app_config("documents").get_models(), get_user_model()]
        return {model._meta.label: list(model.objects.order_by("pk").values_list()) for model in models}

    def state(self) -> Any:
        """All of it."""
        return self.rows(), self.files()

    def wipe(self) -> None:
        """Loses every document, every user and every file."""
        from apps.documents.models import AuditTrail, Document

        AuditTrail.objects.all().delete()
        Document.objects.all().delete()
        get_user_model().objects.all().delete()
        for path in self.storage.rglob("*"):
            if path.is_file() and ".edms-restore" not in str(path):
                path.unlink()


def eventually(what: Callable[[], Any], seconds: float = 60) -> Any:
    """Waits until ``what`` gives something true, and gives that."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        value = what()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} seconds")
