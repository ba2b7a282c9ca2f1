"""Backups in Django's admin: configurations with "run now", jobs with progress, restores with a plan and a typed confirmation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import connections
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from . import native, runners, selectors
from .dashboard import dashboard_context
from .models import ACTIVE, BackupConfiguration, BackupJob, HealthCheck, Job, RestoreJob, SystemMetric
from .services import backup_service, restore_service, schedule_service


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows that services write and people look at."""

    change_form_template = "admin/backup/job.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def wrapped(self, pattern: str, view: Callable[..., HttpResponseBase], name: str) -> URLPattern:
        """A page of this admin below its list."""
        return path(pattern, self.admin_site.admin_view(view), name=f"backup_{self.model._meta.model_name}_{name}")

    def demand(self, request: HttpRequest, permission: str) -> None:
        """
        :raises PermissionDenied: the user does not have it.
        """
        if not request.user.has_perm(f"backup.{permission}"):
            raise PermissionDenied

    def back_to(self, job: Job) -> HttpResponseRedirect:
        """The page of a job."""
        return HttpResponseRedirect(reverse(f"admin:backup_{type(job)._meta.model_name}_change", args=[job.pk]))

    def progress_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """How far a job is, for the page that shows it."""
        self.demand(request, f"view_{self.model._meta.model_name}")
        job = get_object_or_404(self.get_queryset(request), pk=pk)
        return JsonResponse({"status": job.status, "active": job.is_active, "progress": job.progress})


@admin.register(BackupConfiguration)
class BackupConfigurationAdmin(admin.ModelAdmin):
    """Configurations, with "run now"."""

    list_display = ["name", "backup_type", "frequency", "schedule_time", "is_enabled", "last_run_at", "next_run_at"]
    list_filter = ["backup_type", "frequency", "is_enabled"]
    search_fields = ["name", "description"]
    readonly_fields = ["last_run_at", "next_run_at"]
    actions = ["run_now", "turn_on", "turn_off"]

    def save_model(self, request: HttpRequest, obj: BackupConfiguration, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        schedule_service.slots_refresh([obj])

    def has_run_permission(self, request: HttpRequest) -> bool:
        """Whether the user may make backups."""
        return request.user.has_perm("backup.add_backupjob")

    @admin.action(description="Run now", permissions=["run"])
    def run_now(self, request: HttpRequest, queryset: QuerySet[BackupConfiguration]) -> None:
        """Starts a backup of each."""
        for configuration in queryset:
            try:
                backup_service.backup_start(
                    backup_type=configuration.backup_type, configuration=configuration, trigger="admin", requested_by=request.user
                )
            except native.EngineError as error:
                _tell(request, error)
            else:
                self.message_user(request, f"A backup of {configuration} is being made; see the backup jobs.")

    @admin.action(description="Turn on", permissions=["change"])
    def turn_on(self, request: HttpRequest, queryset: QuerySet[BackupConfiguration]) -> None:
        """Turns them on."""
        for configuration in queryset:
            schedule_service.configuration_enable(configuration=configuration, is_enabled=True)

    @admin.action(description="Turn off", permissions=["change"])
    def turn_off(self, request: HttpRequest, queryset: QuerySet[BackupConfiguration]) -> None:
        """Turns them off."""
        for configuration in queryset:
            schedule_service.configuration_enable(configuration=configuration, is_enabled=False)


@admin.register(BackupJob)
class BackupJobAdmin(ReadOnlyAdmin):
    """Backups: looked at, downloaded, checked, cancelled, restored."""

    list_display = ["__str__", "backup_type", "status", "configuration_name", "created_at", "size", "verified_at"]
    list_filter = ["status", "backup_type", "trigger"]
    search_fields = ["backup_id", "configuration_name"]
    date_hierarchy = "created_at"
    change_list_template = "admin/backup/jobs.html"

    @admin.display(description="size", ordering="bytes_stored")
    def size(self, job: BackupJob) -> str:
        """For people."""
        return filesizeformat(job.bytes_stored) if job.bytes_stored else "-"

    def get_queryset(self, request: HttpRequest) -> QuerySet[BackupJob]:
        return selectors.jobs()

    def get_urls(self) -> list[URLPattern]:
        own = [
            self.wrapped("dashboard/", self.dashboard_view, "dashboard"),
            self.wrapped("<uuid:pk>/progress/", self.progress_view, "progress"),
            self.wrapped("<uuid:pk>/download/", self.download_view, "download"),
            self.wrapped("<uuid:pk>/verify/", self.verify_view, "verify"),
            self.wrapped("<uuid:pk>/rehearse/", self.rehearse_view, "rehearse"),
            self.wrapped("<uuid:pk>/cancel/", self.cancel_view, "cancel"),
            self.wrapped("<uuid:pk>/restore/", self.restore_view, "restore"),
        ]
        return own + super().get_urls()

    def dashboard_view(self, request: HttpRequest) -> HttpResponse:
        """How the backups are doing, in one look."""
        self.demand(request, "view_backupjob")
        backup_service.jobs_synchronise()
        context = {**self.admin_site.each_context(request), "title": "Backups", **dashboard_context()}
        return TemplateResponse(request, "admin/backup/dashboard.html", context)

    def download_view(self, request: HttpRequest, pk: Any) -> HttpResponseBase:
        """The archive."""
        from .api.download import archive_response

        self.demand(request, "download_backupjob")
        job = get_object_or_404(BackupJob, pk=pk)
        try:
            return archive_response(request, Path(job.path or "/nonexistent"), job.sha256)
        except OSError:
            raise Http404("the archive is not there any more") from None

    @method_decorator(require_POST)
    def verify_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Has the archive read."""
        return self._check(request, pk, "verify", "The archive is being read; what was found appears on this page.")

    @method_decorator(require_POST)
    def rehearse_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Has the backup restored into a scratch database and folder."""
        return self._check(request, pk, "rehearse", "The backup is being restored beside everything else and compared; what was found appears on this page.")

    def _check(self, request: HttpRequest, pk: Any, kind: str, told: str) -> HttpResponse:
        self.demand(request, "verify_backupjob")
        job = get_object_or_404(BackupJob.objects.exclude(path=""), pk=pk)
        runners.submit(kind, job.pk)
        self.message_user(request, told)
        return self.back_to(job)

    @method_decorator(require_POST)
    def cancel_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Asks the job to stop."""
        self.demand(request, "change_backupjob")
        job = backup_service.backup_cancel(job=get_object_or_404(BackupJob, pk=pk))
        self.message_user(request, "The job is being cancelled; it leaves nothing behind.")
        return self.back_to(job)

    def restore_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """The plan, and after a typed confirmation the restore."""
        self.demand(request, "restore_system")
        job = get_object_or_404(BackupJob.objects.exclude(path=""), pk=pk)
        wanted = request.POST or request.GET
        part = wanted.get("part", "full")
        options: dict[str, Any] = {"verify": True}
        if part in ("database", "files"):
            options["only"] = part
        try:
            plan = restore_service.restore_plan(source=job.path, options=options)
            if request.method == "POST" and not plan["problems"]:
                if request.POST.get("confirmation", "").strip() != job.backup_id:
                    messages.error(request, "Nothing was changed: the id that you typed is not that of the backup.")
                else:
                    restore = restore_service.restore_start(source=job.path, source_job=job, options=options, requested_by=request.user)
                    return self.back_to(restore)
        except native.EngineError as error:
            _tell(request, error)
            return self.back_to(job)
        context = {**self.admin_site.each_context(request), "title": f"Restore {job.backup_id}", "job": job, "plan": plan, "part": part, "parts": _PARTS, "opts": self.opts}
        return TemplateResponse(request, "admin/backup/restore.html", context)


@admin.register(RestoreJob)
class RestoreJobAdmin(ReadOnlyAdmin):
    """Restores: looked at, and taken back."""

    list_display = ["__str__", "source", "status", "requested_by_name", "created_at", "undone_at"]
    list_filter = ["status"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[RestoreJob]:
        return selectors.restores()

    def get_urls(self) -> list[URLPattern]:
        own = [
            self.wrapped("<uuid:pk>/progress/", self.progress_view, "progress"),
            self.wrapped("<uuid:pk>/undo/", self.undo_view, "undo"),
        ]
        return own + super().get_urls()

    @method_decorator(require_POST)
    def undo_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Takes the restore back, after a typed confirmation."""
        self.demand(request, "restore_system")
        job = get_object_or_404(RestoreJob, pk=pk)
        if request.POST.get("confirmation", "").strip() != (job.restore_id or "-"):
            messages.error(request, "Nothing was changed: the id that you typed is not that of the restore.")
            return self.back_to(job)
        try:
            restore_service.restore_undo(job=job)
        except native.EngineError as error:
            _tell(request, error)
        else:
            # The messages framework may write to a session of the database that is gone.
            connections.close_all()
        return self.back_to(job)


@admin.register(HealthCheck)
class HealthCheckAdmin(ReadOnlyAdmin):
    """What the health checks found."""

    change_form_template = None
    list_display = ["check_type", "status", "message", "checked_at"]
    list_filter = ["check_type", "status"]


@admin.register(SystemMetric)
class SystemMetricAdmin(ReadOnlyAdmin):
    """Measured values."""

    change_form_template = None
    list_display = ["name", "subject", "value", "unit", "recorded_at"]
    list_filter = ["name"]


#: What the page offers to restore.
_PARTS = [("full", "Everything"), ("database", "The database"), ("files", "The files")]


def _tell(request: HttpRequest, error: native.EngineError) -> None:
    messages.error(request, f"{error}. {error.hint or ''}")
