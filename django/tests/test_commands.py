"""The management commands, as operators type them."""

from __future__ import annotations

import json
import tarfile
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from edms_backup.models import BackupConfiguration, BackupJob, JobStatus, RestoreJob
from edms_backup.services import restore_service

from .conftest import Site


def command(name: str, *words: str) -> str:
    """Runs a command; what it prints."""
    out = StringIO()
    call_command(name, *words, stdout=out, stderr=StringIO())
    return out.getvalue()


def refused(name: str, *words: str) -> CommandError:
    """Runs a command that must fail."""
    with pytest.raises(CommandError) as caught:
        command(name, *words)
    return caught.value


def test_everything_lost_comes_back_and_goes_again(edms: Site, tmp_path: Path) -> None:
    before = edms.state()
    package = tmp_path / "package.tar.gz"
    told = json.loads(command("create_backup", "--type", "full", "--output", str(package), "--compress", "--verify", "--json"))
    assert (told["status"], told["path"]) == ("COMPLETE", str(package))
    assert told["files"] == len(before[1])
    edms.wipe()
    wiped = edms.state()
    assert wiped != before
    assert "say --force" in str(refused("restore_backup", "--package", str(package), "--verify"))
    assert edms.state() == wiped
    command("restore_backup", "--package", str(package), "--verify", "--force")
    assert edms.state() == before
    assert authenticate(username="ada", password="ada")
    job = RestoreJob.objects.get()
    assert job.status == JobStatus.COMPLETED and job.result["verified"]
    restore_service.restore_undo(job=job)
    assert edms.state() == wiped
    assert RestoreJob.objects.get().undone_at


def test_parts_are_restored_alone(edms: Site, tmp_path: Path) -> None:
    command("create_backup", "--type", "full")
    job = BackupJob.objects.get()
    rows, files = edms.state()
    edms.wipe()
    target = tmp_path / "elsewhere"
    command("restore_backup", "--from-file", job.path, "--type", "files", "--target", str(target), "--skip-database")
    assert {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()} == set(files)
    assert edms.files() == {}
    command("restore_backup", "--backup-job", str(job.pk), "--type", "database", "--force")
    assert edms.rows() == rows and edms.files() == {}
    glob = "media/covers/cover-1.svg"
    command("restore_backup", "--backup-job", job.backup_id, "--type", "selective", "--path", glob, "--force")
    assert list(edms.files()) == [glob]


def test_a_database_backup_without_compression(edms: Site) -> None:
    told = json.loads(command("create_backup", "--type", "database", "--no-compress", "--json"))
    assert told["path"].endswith(".tar") and told["files"] == 0
    with tarfile.open(told["path"]) as archive:
        assert "database/pre-data.sql" in archive.getnames()


def test_a_dry_run_changes_nothing(edms: Site) -> None:
    command("create_backup")
    path = BackupJob.objects.get().path
    edms.wipe()
    wiped = edms.state()
    plan = json.loads(command("restore_backup", "--from-file", path, "--dry-run", "--json"))
    assert plan["database"]["into"] == "swap" and plan["problems"] == []
    assert "documents_document" not in command("restore_backup", "--from-file", path, "--dry-run")
    assert edms.state() == wiped and not RestoreJob.objects.exists()


def test_what_makes_no_sense_is_refused(edms: Site, tmp_path: Path) -> None:
    assert "no configuration 'nightly'" in str(refused("create_backup", "--schedule", "--config-name", "nightly"))
    assert "RECIPIENTS_FILE" in str(refused("create_backup", "--encrypt"))
    assert "cannot open" in str(refused("restore_backup", "--from-file", "/nonexistent/x.tar.gz"))
    assert refused("restore_backup", "--from-file", "x", "--type", "selective").returncode == 2
    assert refused("restore_backup", "--from-file", "x", "--type", "database", "--skip-database").returncode == 2
    assert refused("backup_scheduler").returncode == 2
    (tmp_path / "no.tar.gz").write_bytes(b"no archive" * 100)
    error = refused("restore_backup", "--from-file", str(tmp_path / "no.tar.gz"), "--force")
    assert "not a readable backup archive" in str(error)
    assert not BackupJob.objects.exists() and not RestoreJob.objects.exists()


def test_a_backup_that_fails_says_so_and_leaves_nothing(edms: Site, settings: Any) -> None:
    settings.EDMS_BACKUP = {**settings.EDMS_BACKUP, "FILES": {"gone": "/nonexistent/folder"}}
    error = refused("create_backup", "--type", "full")
    assert "gone" in str(error)
    job = BackupJob.objects.get()
    assert job.status == JobStatus.FAILED and job.error["code"] == "source_unusable" and job.error["hint"]
    assert job.path == ""


def test_configurations_are_made_listed_and_turned_off(edms: Site) -> None:
    assert "made daily_full_backup" in command("backup_scheduler", "--create-config")
    assert "already" in command("backup_scheduler", "--create-config")
    command("backup_scheduler", "--disable", "hourly_incremental")
    listed = command("backup_scheduler", "--list-configs")
    (line,) = [line for line in listed.splitlines() if line.startswith("hourly_incremental")]
    assert " off " in line
    command("backup_scheduler", "--enable", "daily_full_backup")
    command("create_backup", "--schedule", "--config-name", "daily_full_backup")
    job = BackupJob.objects.get()
    assert job.configuration.name == job.configuration_name == "daily_full_backup"
    assert BackupConfiguration.objects.get(name="daily_full_backup").last_run_at == job.started_at
    assert "no configuration" in str(refused("backup_scheduler", "--enable", "nightly"))


def test_a_scheduled_backup_makes_the_configurations_it_needs(edms: Site) -> None:
    command("create_backup", "--type", "full", "--schedule")
    assert BackupJob.objects.get().configuration.name == "daily_full_backup"


def test_an_export_package_holds_no_usable_password(edms: Site, tmp_path: Path) -> None:
    rows, files = edms.state()
    package = tmp_path / "package.tar.gz"
    command("create_backup", "--type", "export", "--output", str(package), "--include-users", "--compress", "--verify")
    edms.wipe()
    command("restore_backup", "--package", str(package), "--verify", "--force")
    after, same_files = edms.state()
    assert same_files == files
    users = "auth.User"
    assert {name: values for name, values in after.items() if name != users} == {name: values for name, values in rows.items() if name != users}
    assert [row[4] for row in after[users]] == [row[4] for row in rows[users]], "user names"
    assert authenticate(username="ada", password="ada") is None
    from django.contrib.auth import get_user_model

    assert not any(user.has_usable_password() for user in get_user_model().objects.all())
