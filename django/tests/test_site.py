"""What is taken from Django's settings and models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connections

from edms_backup import checks, site


def test_roots_and_references_come_from_file_fields(storage: Path) -> None:
    found = site.file_roots()
    assert found.roots == {"media": storage / "media", "documents": storage / "documents"}
    assert found.uncovered == {}
    assert found.references == [
        {"table": "public.documents_document", "path_column": "cover", "root": "media"},
        {"table": "public.documents_documentversion", "path_column": "file", "root": "documents", "checksum_column": "file_checksum"},
    ]


def test_roots_may_be_set_instead(storage: Path, settings: Any) -> None:
    settings.EDMS_BACKUP = {**settings.EDMS_BACKUP, "FILES": {"all": storage}, "FIND_FILES": True}
    found = site.file_roots()
    assert found.roots == {"all": storage}
    assert set(found.uncovered) == {"documents.Document.cover", "documents.DocumentVersion.file"}
    settings.EDMS_BACKUP = {**settings.EDMS_BACKUP, "FIND_FILES": False}
    assert site.file_roots().uncovered == {}


def test_the_connection_is_django_s(monkeypatch: pytest.MonkeyPatch) -> None:
    configured = {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": "db",
        "PORT": 5433,
        "NAME": "a b",
        "USER": "u",
        "PASSWORD": "it's \\ secret",
        "OPTIONS": {"sslmode": "require", "pool": True},
    }
    monkeypatch.setattr(connections["default"], "settings_dict", configured)
    assert site.database_url() == "dbname='a b' user='u' password='it\\'s \\\\ secret' host='db' port='5433' sslmode='require'"
    monkeypatch.setattr(connections["default"], "settings_dict", {**configured, "ENGINE": "django.db.backends.sqlite3"})
    with pytest.raises(ImproperlyConfigured, match="only PostgreSQL"):
        site.database_url()


def test_environment_counts_where_a_key_is_not_set(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from edms_backup.conf import backup_settings

    settings.EDMS_BACKUP = {}
    assert str(backup_settings.repository) == "/var/backups/edms"
    monkeypatch.setenv("BACKUP_ROOT", "/elsewhere")
    monkeypatch.setenv("BACKUP_RETENTION_DAYS", "7")
    assert str(backup_settings.repository) == "/elsewhere"
    assert backup_settings.RETENTION_DAYS == 7
    settings.EDMS_BACKUP = {"REPOSITORY": "/set"}
    assert str(backup_settings.repository) == "/set"


def test_checks_find_what_cannot_work(storage: Path, settings: Any) -> None:
    assert checks.check_settings(None) + checks.check_storage(None) + checks.check_encryption(None) == []
    settings.EDMS_BACKUP = {
        **settings.EDMS_BACKUP,
        "REPOSITRY": "/x",
        "CHECKSUMS": {"documents.DocumentVersion.file": "sha"},
        "RESTORE_INTO": "sideways",
        "RECIPIENTS_FILE": "/nonexistent",
        "REPOSITORY": storage / "media" / "backups",
    }
    found = checks.check_settings(None) + checks.check_storage(None) + checks.check_encryption(None)
    assert [message.id for message in found] == ["backup.E002", "backup.E004", "backup.E005", "backup.W002", "backup.E006"]
    assert all(message.hint for message in found)


@pytest.mark.django_db
def test_a_configuration_that_cannot_encrypt_is_found(storage: Path) -> None:
    from edms_backup.models import BackupConfiguration

    assert checks.check_encryption_demanded(None, databases=["default"]) == []
    BackupConfiguration.objects.create(name="sealed", encryption_enabled=True)
    (found,) = checks.check_encryption_demanded(None, databases=["default"])
    assert found.id == "backup.E007" and "sealed" in found.msg


@pytest.mark.django_db
def test_migrations_are_complete() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_old_import_paths_still_work() -> None:
    from apps.backup import health_service
    from apps.backup.services import backup_service, restore_service

    assert callable(backup_service.backup_create)
    assert callable(restore_service.restore_create)
    assert callable(health_service.health_check_run)
