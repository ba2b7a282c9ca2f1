"""``restore_backup``: brings a backup, or a part of it, back."""

from __future__ import annotations

import json
import sys
import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from edms_backup import native
from edms_backup.management.progress import ProgressLine, command_error
from edms_backup.models import BackupJob, JobStatus, RestoreJob
from edms_backup.services import restore_service


class Command(BaseCommand):
    """Restores a backup, or a part of it."""

    help = "Restores a backup, or a part of it. Exit codes: 0 complete, 1 failed, 2 wrong usage, 3 partial."
    # A restore begins where checks may fail: with an empty database, without folders.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """The options of ``restore_backup``."""
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("--package", metavar="PATH", help="a migration package")
        source.add_argument("--from-file", metavar="PATH", help="the archive of a backup")
        source.add_argument("--backup-job", metavar="ID", help="a backup job (its UUID), or the id of a backup of the repository")
        parser.add_argument("--type", choices=["full", "database", "files", "selective"], default="full", help="what to restore [default: full]")
        parser.add_argument("--target", metavar="DIR", help="put files here, each root in a folder of its name, instead of where they belong")
        parser.add_argument("--path", metavar="GLOB", action="append", default=[], help="only files that match, such as 'media/2026/**'; may be repeated")
        parser.add_argument("--skip-users", action="store_true", help="leave the user accounts as they are")
        parser.add_argument("--skip-database", action="store_true", help="leave the database as it is")
        parser.add_argument("--skip-files", action="store_true", help="leave the files as they are")
        parser.add_argument("--verify", action="store_true", help="compare every restored table and file with the backup")
        parser.add_argument("--dry-run", action="store_true", help="print what would be done, and do nothing")
        parser.add_argument("--force", action="store_true", help="replace what is there, without asking")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Restores, or prints the plan."""
        fields = self._fields(options)
        try:
            source, source_job = self._source(options)
            plan = restore_service.restore_plan(source=source, options=fields)
            if options["dry_run"]:
                self._print_plan(plan, options)
                return
            if plan["problems"]:
                raise CommandError("nothing was restored: " + "; ".join(plan["problems"]))
            self._confirm(plan, options)
            job = restore_service.restore_create(source=source, source_job=source_job, options=fields)
        except native.EngineError as error:
            raise command_error(error) from None
        progress = ProgressLine(self.stderr, shown=options["verbosity"] > 0 and not options["json"])
        try:
            restore_service.restore_execute(job=job, watch=progress)
        finally:
            progress.close()
        self._report(job, options)

    def _source(self, options: dict[str, Any]) -> tuple[str, BackupJob | None]:
        path = options["package"] or options["from_file"]
        if path:
            return path if "/" in path else f"./{path}", None
        wanted = options["backup_job"]
        try:
            job = BackupJob.objects.filter(pk=uuid.UUID(wanted)).first()
        except ValueError:
            job = BackupJob.objects.filter(backup_id=wanted).first()
            if job is None:
                # An id of the repository that no row knows, or the beginning of one.
                return wanted, None
        if job is None or not job.path:
            raise CommandError(f"there is no backup job {wanted} with an archive", returncode=1)
        return job.path, job

    def _fields(self, options: dict[str, Any]) -> dict[str, Any]:
        kind = options["type"]
        contradictions = {"database": "skip_database", "files": "skip_files", "selective": "skip_files"}
        if kind in contradictions and options[contradictions[kind]]:
            raise CommandError(f"--type {kind} and --{contradictions[kind].replace('_', '-')} leave nothing to restore", returncode=2)
        if kind == "selective" and not options["path"]:
            raise CommandError("--type selective needs --path", returncode=2)
        fields: dict[str, Any] = {name: True for name in ("skip_users", "verify") if options[name]}
        if kind in ("database", "files"):
            fields["only"] = kind
        else:
            fields.update({name: True for name in ("skip_database", "skip_files") if options[name]})
        if options["target"]:
            fields["target"] = options["target"]
        if options["path"]:
            fields["path"] = options["path"]
        return fields

    def _confirm(self, plan: dict[str, Any], options: dict[str, Any]) -> None:
        if options["force"]:
            return
        replaced = [f"files in {root['folder']}" for root in plan["files"].values() if root["replaces"]]
        if plan.get("database") and plan["database"]["into"] != "fresh":
            replaced.insert(0, f"the database {plan['database']['target']}")
        if not replaced:
            return
        if options["json"] or not sys.stdin.isatty():
            raise CommandError(f"this replaces {', '.join(replaced)}: say --force", returncode=1)
        self._print_plan(plan, options)
        answer = input(f"This replaces {', '.join(replaced)}. Type yes to go on: ")
        if answer.strip() != "yes":
            raise CommandError("not confirmed: nothing was changed")

    def _print_plan(self, plan: dict[str, Any], options: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(plan))
        else:
            self.stdout.write(f"restore {plan['source']}")
            if plan.get("database"):
                told = plan["database"]
                self.stdout.write(f"  database  {told['tables']} tables, {told['rows']} rows into {told['target']} ({told['into']})")
            for name, root in plan["files"].items():
                how = "replaces what is there" if root["replaces"] else "new or empty"
                self.stdout.write(f"  files     {name} into {root['folder']} ({how})")
            for warning in plan["warnings"]:
                self.stdout.write(self.style.WARNING(f"  warning   {warning}"))
            for problem in plan["problems"]:
                self.stdout.write(self.style.ERROR(f"  PROBLEM   {problem}"))
        if options["dry_run"] and plan["problems"]:
            raise CommandError("the restore would be refused")

    def _report(self, job: RestoreJob, options: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(job.result if job.result else {"error": job.error}))
        if job.error:
            raise command_error(job.error)
        result = job.result
        if options["verbosity"] > 0 and not options["json"]:
            self.stdout.write(self.style.SUCCESS(f"{result['status']} {result['id']}"))
            self.stdout.write(f"  {result['tables']} tables, {result['rows']} rows, {result['files']} files")
            for name, kept in result["previous"].items():
                self.stdout.write(f"  kept for undo: {name} as {kept}")
        if options["verbosity"] > 0:
            for warning in job.warnings:
                self.stderr.write(self.style.WARNING(f"  {warning}"))
        if job.status == JobStatus.PARTIAL:
            raise CommandError("something named could not be restored", returncode=3)
