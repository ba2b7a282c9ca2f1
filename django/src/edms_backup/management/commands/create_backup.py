"""``create_backup``: makes a backup."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from edms_backup import native
from edms_backup.management.progress import ProgressLine, command_error, size
from edms_backup.models import BackupConfiguration, BackupJob, BackupType, JobStatus
from edms_backup.services import backup_service, schedule_service


class Command(BaseCommand):
    """Makes a backup of database, files and configuration."""

    help = "Makes a backup of database, files and configuration. Exit codes: 0 complete, 1 failed, 2 wrong usage, 3 partial."

    def add_arguments(self, parser: CommandParser) -> None:
        """The options of ``create_backup``."""
        parser.add_argument("--type", choices=[kind.lower() for kind in BackupType.values], help="what it contains [default: full]")
        parser.add_argument("--output", metavar="PATH", help="write it to this new file or into this folder instead of the repository")
        users = parser.add_mutually_exclusive_group()
        users.add_argument("--include-users", action="store_true", help="take user accounts into an export package, without their passwords")
        users.add_argument("--exclude-users", action="store_true", help="leave user accounts out of an export package")
        compress = parser.add_mutually_exclusive_group()
        compress.add_argument("--compress", action="store_true", help="compress it (it is, unless the configuration says otherwise)")
        compress.add_argument("--no-compress", action="store_true", help="do not compress it")
        parser.add_argument("--encrypt", action="store_true", help="seal it for the recipients of the settings")
        verify = parser.add_mutually_exclusive_group()
        verify.add_argument("--verify", action="store_true", help="read it back after writing (the default)")
        verify.add_argument("--no-verify", action="store_true", help="do not read it back")
        parser.add_argument("--schedule", action="store_true", help="make it on behalf of a configuration: of --config-name, or the enabled one of --type")
        parser.add_argument("--config-name", metavar="NAME", help="the configuration; with its type, folder, compression and retention")
        parser.add_argument("--base", metavar="ID|PATH", help="the backup that an incremental one builds on")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Makes the backup."""
        progress = ProgressLine(self.stderr, shown=options["verbosity"] > 0 and not options["json"])
        try:
            configuration = self._configuration(options)
            job = backup_service.backup_create(
                backup_type=options["type"] or (configuration.backup_type if configuration else "full"),
                configuration=configuration,
                options=self._fields(options),
                trigger="schedule" if options["schedule"] else "command",
            )
            backup_service.backup_execute(job=job, watch=progress)
        except native.EngineError as error:
            raise command_error(error) from None
        finally:
            progress.close()
        self._report(job, options)

    def _configuration(self, options: dict[str, Any]) -> BackupConfiguration | None:
        if options["config_name"]:
            return schedule_service.configuration_find(name=options["config_name"])
        if not options["schedule"]:
            return None
        if not BackupConfiguration.objects.exists():
            schedule_service.configurations_create_defaults()
        kind = (options["type"] or "full").upper()
        found = BackupConfiguration.objects.filter(backup_type=kind, is_enabled=True).first()
        if found is None:
            raise CommandError(f"no configuration of type {kind} is enabled; name one with --config-name")
        return found

    def _fields(self, options: dict[str, Any]) -> dict[str, Any]:
        fields: dict[str, Any] = {name: options[name] for name in ("output", "base") if options[name]}
        fields.update({name: True for name in ("include_users", "exclude_users", "no_verify") if options[name]})
        if options["no_compress"]:
            fields["compression"] = "none"
        elif options["compress"]:
            fields["compression"] = "gzip"
        if options["encrypt"]:
            fields.update(backup_service.encryption_options())
        return fields

    def _report(self, job: BackupJob, options: dict[str, Any]) -> None:
        if options["json"]:
            told = {
                "job": str(job.pk),
                "id": job.backup_id,
                "kind": job.backup_type.lower(),
                "status": {"COMPLETED": "COMPLETE"}.get(job.status, job.status),
                **{name: getattr(job, name) for name in ("path", "sha256", "files", "tables", "rows", "bytes_read", "bytes_stored", "duration_ms", "warnings")},
                "base": job.base or None,
            }
            if job.error:
                told["error"] = job.error
            self.stdout.write(json.dumps(told))
        if job.error:
            raise command_error(job.error)
        if options["verbosity"] > 0 and not options["json"]:
            self.stdout.write(self.style.SUCCESS(f"{job.get_status_display()} {job.backup_id}"))
            self.stdout.write(f"  {job.tables} tables, {job.rows} rows, {job.files} files; {size(job.bytes_stored)} from {size(job.bytes_read)}")
            self.stdout.write(f"  {job.path}")
        if options["verbosity"] > 0:
            shown = job.warnings if options["verbosity"] > 1 else job.warnings[:20]
            for warning in shown:
                self.stderr.write(self.style.WARNING(f"  {warning}"))
            if len(job.warnings) > len(shown):
                self.stderr.write(f"  … and {len(job.warnings) - len(shown)} more (--verbosity 2 lists them all)")
        if job.status == JobStatus.PARTIAL:
            raise CommandError("something named is missing from the backup", returncode=3)
