"""``backup_scheduler``: configurations, and running those that are due. Made to be called every few minutes."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from edms_backup import health_service, native
from edms_backup.management.progress import ProgressLine, command_error
from edms_backup.models import BackupConfiguration, JobStatus
from edms_backup.services import backup_service, retention_service, schedule_service


class Command(BaseCommand):
    """Looks after backup configurations and runs those that are due."""

    help = "Looks after backup configurations and runs those that are due. Call it with --run-scheduled every few minutes."

    def add_arguments(self, parser: CommandParser) -> None:
        """The options of ``backup_scheduler``; several of them are done in this order."""
        parser.add_argument("--create-config", action="store_true", help="make the configurations that a site begins with")
        parser.add_argument("--enable", metavar="NAME", help="turn a configuration on")
        parser.add_argument("--disable", metavar="NAME", help="turn a configuration off")
        parser.add_argument("--list-configs", action="store_true", help="list the configurations")
        parser.add_argument("--run-scheduled", action="store_true", help="run what is due now")
        parser.add_argument("--prune", action="store_true", help="delete backups that the retention of their configuration does not keep")
        parser.add_argument("--health-check", action="store_true", help="look whether all is well")

    def handle(self, *args: Any, **options: Any) -> None:
        """Does what is asked for, one after the other."""
        actions = ["create_config", "enable", "disable", "list_configs", "run_scheduled", "prune", "health_check"]
        if not any(options[action] for action in actions):
            raise CommandError("say what to do: see --help", returncode=2)
        problems: list[str] = []
        try:
            for action in actions:
                if options[action]:
                    problems += getattr(self, f"_{action}")(options) or []
        except native.EngineError as error:
            raise command_error(error) from None
        if problems:
            raise CommandError("; ".join(problems))

    def _create_config(self, options: dict[str, Any]) -> None:
        made = schedule_service.configurations_create_defaults()
        for configuration in made:
            self.stdout.write(f"made {configuration.name}")
        if not made:
            self.stdout.write("all default configurations are there already")

    def _enable(self, options: dict[str, Any]) -> None:
        self._turn(options["enable"], True)

    def _disable(self, options: dict[str, Any]) -> None:
        self._turn(options["disable"], False)

    def _turn(self, name: str, is_enabled: bool) -> None:
        configuration = schedule_service.configuration_find(name=name)
        schedule_service.configuration_enable(configuration=configuration, is_enabled=is_enabled)
        self.stdout.write(f"{name} is {'on' if is_enabled else 'off'}")

    def _list_configs(self, options: dict[str, Any]) -> None:
        schedule_service.slots_refresh(BackupConfiguration.objects.all())
        self.stdout.write(f"{'NAME':<28} {'TYPE':<12} {'FREQUENCY':<10} {'STATE':<6} {'LAST RUN (UTC)':<17} NEXT RUN (UTC)")
        for row in BackupConfiguration.objects.all():
            last, following = (f"{time:%Y-%m-%d %H:%M}" if time else "-" for time in (row.last_run_at, row.next_run_at))
            state = "on" if row.is_enabled else "off"
            self.stdout.write(f"{row.name:<28} {row.backup_type:<12} {row.frequency:<10} {state:<6} {last:<17} {following}")

    def _run_scheduled(self, options: dict[str, Any]) -> list[str]:
        progress = ProgressLine(self.stderr, shown=options["verbosity"] > 1)
        try:
            backup_service.jobs_synchronise()
            jobs = schedule_service.run_due(watch=progress)
        finally:
            progress.close()
        for job in jobs:
            self.stdout.write(f"{job.configuration_name}: {job.get_status_display()} {job.backup_id or ''}")
        if not jobs and options["verbosity"] > 0:
            self.stdout.write("nothing is due")
        return [
            f"{job.configuration_name} {job.get_status_display().lower()}: {job.error['message'] if job.error else 'something is missing'}"
            for job in jobs
            if job.status != JobStatus.COMPLETED
        ]

    def _prune(self, options: dict[str, Any]) -> None:
        deleted = [backup for outcome in retention_service.prune() for backup in outcome["deleted"]]
        for backup in deleted:
            self.stdout.write(f"deleted {backup}")
        if not deleted and options["verbosity"] > 0:
            self.stdout.write("nothing to delete")

    def _health_check(self, options: dict[str, Any]) -> list[str]:
        problems = []
        for check in health_service.health_check_run():
            self.stdout.write(f"{check.check_type:<14} {check.status}")
            for finding in check.findings:
                if finding["severity"] != "HEALTHY":
                    self.stdout.write(f"  {finding['message']}")
                    if finding.get("advice"):
                        self.stdout.write(f"    {finding['advice']}")
                    if finding["severity"] == "CRITICAL":
                        problems.append(f"{check.check_type} is critical")
        return sorted(set(problems))
