"""The endpoints. They translate: what is done is in the services."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.filters import OrderingFilter, SearchFilter
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from .. import health_service, native, runners, selectors
from ..maintenance import is_restoring
from ..models import ACTIVE, BackupConfiguration, BackupJob, HealthCheck, RestoreJob
from ..services import backup_service, restore_service, schedule_service
from . import serializers
from .base import BackupViewSet
from .download import archive_response
from .errors import Refused
from .upload import ArchiveUploadHandler

_ERRORS = {
    400: OpenApiResponse(serializers.ErrorSerializer, description="the request makes no sense"),
    401: OpenApiResponse(serializers.ErrorSerializer, description="not logged in"),
    403: OpenApiResponse(serializers.ErrorSerializer, description="not allowed"),
    404: OpenApiResponse(serializers.ErrorSerializer, description="no such thing"),
    409: OpenApiResponse(serializers.ErrorSerializer, description="not in this state, or something else is at work"),
    415: OpenApiResponse(serializers.ErrorSerializer, description="not a type of content that is read here"),
    429: OpenApiResponse(serializers.ErrorSerializer, description="too many requests"),
    503: OpenApiResponse(serializers.ErrorSerializer, description="trouble with the database, the repository or the host"),
}
_KEY = OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER, description="a repeated request with the same key starts no second job")


@extend_schema_view(
    list=extend_schema(responses={200: serializers.ConfigurationSerializer(many=True), **_ERRORS}),
    create=extend_schema(responses={201: serializers.ConfigurationSerializer, **_ERRORS}),
    retrieve=extend_schema(responses={200: serializers.ConfigurationSerializer, **_ERRORS}),
    update=extend_schema(responses={200: serializers.ConfigurationSerializer, **_ERRORS}),
    partial_update=extend_schema(responses={200: serializers.ConfigurationSerializer, **_ERRORS}),
    destroy=extend_schema(responses={204: None, **_ERRORS}),
)
class ConfigurationViewSet(
    mixins.ListModelMixin,
    mixins.CreateModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    BackupViewSet,
):
    """What is backed up when, and how long it is kept."""

    queryset = BackupConfiguration.objects.none()
    serializer_class = serializers.ConfigurationSerializer
    filter_backends = [DjangoFilterBackend, OrderingFilter, SearchFilter]
    filterset_fields = ["backup_type", "frequency", "is_enabled"]
    ordering_fields = ["name", "last_run_at", "next_run_at"]
    search_fields = ["name", "description"]
    action_permissions = {
        "list": "view_backupconfiguration",
        "retrieve": "view_backupconfiguration",
        "create": "add_backupconfiguration",
        "update": "change_backupconfiguration",
        "partial_update": "change_backupconfiguration",
        "destroy": "delete_backupconfiguration",
        "enable": "change_backupconfiguration",
        "disable": "change_backupconfiguration",
        "execute": "add_backupjob",
    }

    def get_queryset(self) -> Any:
        return selectors.configurations()

    def perform_create(self, serializer: Any) -> None:
        schedule_service.slots_refresh([serializer.save()])

    def perform_update(self, serializer: Any) -> None:
        schedule_service.slots_refresh([serializer.save()])

    @extend_schema(request=None, parameters=[_KEY], responses={202: serializers.BackupJobSerializer, **_ERRORS})
    @action(detail=True, methods=["post"])
    def execute(self, request: Request, pk: str) -> Response:
        """Makes a backup of this configuration now."""
        configuration = self.get_object()
        key = self.idempotency_key(request)
        job = self.started_before(BackupJob, key) or backup_service.backup_start(
            backup_type=configuration.backup_type,
            configuration=configuration,
            trigger="api",
            requested_by=request.user,
            idempotency_key=key,
        )
        return Response(serializers.BackupJobSerializer(job).data, status=202)

    @extend_schema(request=None, responses={200: serializers.ConfigurationSerializer, **_ERRORS})
    @action(detail=True, methods=["post"])
    def enable(self, request: Request, pk: str) -> Response:
        """Turns the configuration on."""
        return self._turn(True)

    @extend_schema(request=None, responses={200: serializers.ConfigurationSerializer, **_ERRORS})
    @action(detail=True, methods=["post"])
    def disable(self, request: Request, pk: str) -> Response:
        """Turns the configuration off."""
        return self._turn(False)

    def _turn(self, is_enabled: bool) -> Response:
        configuration = schedule_service.configuration_enable(configuration=self.get_object(), is_enabled=is_enabled)
        return Response(self.get_serializer(configuration).data)


@extend_schema_view(
    list=extend_schema(responses={200: serializers.BackupJobSerializer(many=True), **_ERRORS}),
    retrieve=extend_schema(responses={200: serializers.BackupJobSerializer, **_ERRORS}),
)
class BackupJobViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, BackupViewSet):
    """Backups: asked for, being made, or made."""

    queryset = BackupJob.objects.none()
    serializer_class = serializers.BackupJobSerializer
    filter_backends = [DjangoFilterBackend, OrderingFilter, SearchFilter]
    filterset_fields = ["status", "backup_type", "configuration", "trigger"]
    ordering_fields = ["created_at", "bytes_stored", "duration_ms"]
    search_fields = ["backup_id", "configuration_name"]
    action_permissions = {
        "list": "view_backupjob",
        "retrieve": "view_backupjob",
        "download": "download_backupjob",
        "verify": "verify_backupjob",
        "cancel": "change_backupjob",
    }

    def get_queryset(self) -> Any:
        return selectors.jobs()

    @extend_schema(
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            (206, "application/octet-stream"): OpenApiTypes.BINARY,
            416: OpenApiResponse(description="the archive has no such bytes"),
            **_ERRORS,
        }
    )
    @action(detail=True, methods=["get"])
    def download(self, request: Request, pk: str) -> HttpResponseBase:
        """The archive; answers ranges."""
        job = self.get_object()
        if not job.path:
            raise Refused(409, "no_archive", "this job has no archive", "It has not ended well, or its archive was deleted.")
        try:
            return archive_response(request._request, Path(job.path), job.sha256)
        except OSError as error:
            raise Refused(404, "archive_gone", f"the archive cannot be read: {error.strerror}", "Look for it in the repository.") from None

    @extend_schema(request=serializers.VerifySerializer, responses={202: serializers.BackupJobSerializer, **_ERRORS})
    @action(detail=True, methods=["post"])
    def verify(self, request: Request, pk: str) -> Response:
        """Checks the archive; `verification` of the job then has what was found."""
        wanted = serializers.VerifySerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        job = self.get_object()
        if job.status in ACTIVE or not job.path:
            raise Refused(409, "no_archive", "this job has no archive to check", "Wait until it has ended.")
        if wanted.validated_data["quick"]:
            backup_service.backup_verify(job=job, quick=True)
        else:
            runners.submit("rehearse" if wanted.validated_data["rehearse"] else "verify", job.pk)
        return Response(self.get_serializer(job).data, status=202)

    @extend_schema(request=None, responses={202: serializers.BackupJobSerializer, **_ERRORS})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Asks the job to stop; it leaves nothing behind."""
        job = self.get_object()
        if not job.is_active:
            raise Refused(409, "not_running", "this job has ended", None)
        return Response(self.get_serializer(backup_service.backup_cancel(job=job)).data, status=202)


class SystemViewSet(BackupViewSet):
    """The site as a whole."""

    queryset = BackupJob.objects.none()
    pagination_class = None
    action_permissions = {
        "create_export_package": "add_backupjob",
        "system_status": "view_backupjob",
        "run_health_check": "add_healthcheck",
    }

    @extend_schema(request=serializers.ExportSerializer, parameters=[_KEY], responses={202: serializers.BackupJobSerializer, **_ERRORS})
    @action(detail=False, methods=["post"])
    def create_export_package(self, request: Request) -> Response:
        """Makes a package for another environment: everything, without passwords."""
        wanted = serializers.ExportSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        options = {name: True for name in ("include_users", "exclude_users") if wanted.validated_data[name]}
        if wanted.validated_data["encrypt"]:
            options.update(backup_service.encryption_options())
        key = self.idempotency_key(request)
        job = self.started_before(BackupJob, key) or backup_service.backup_start(
            backup_type="export", options=options, trigger="api", requested_by=request.user, idempotency_key=key
        )
        return Response(serializers.BackupJobSerializer(job).data, status=202)

    @extend_schema(responses={200: serializers.SystemStatusSerializer, **_ERRORS})
    @action(detail=False, methods=["get"])
    def system_status(self, request: Request) -> Response:
        """How the backups are doing."""
        backup_service.jobs_synchronise()
        return Response(serializers.SystemStatusSerializer(selectors.system_status()).data)

    @extend_schema(request=serializers.HealthRequestSerializer, responses={200: serializers.HealthSerializer, **_ERRORS})
    @action(detail=False, methods=["post"])
    def run_health_check(self, request: Request) -> Response:
        """Looks whether all is well, now."""
        wanted = serializers.HealthRequestSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        check_type = wanted.validated_data.get("check_type")
        checks = health_service.health_check_run(check_types=[check_type] if check_type else None)
        return Response(serializers.HealthSerializer(health_service.summary(checks)).data)


@extend_schema_view(
    list=extend_schema(responses={200: serializers.RestoreJobSerializer(many=True), **_ERRORS}),
    retrieve=extend_schema(responses={200: serializers.RestoreJobSerializer, **_ERRORS}),
)
class RestoreJobViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, BackupViewSet):
    """Restores: asked for, being done, or done."""

    queryset = RestoreJob.objects.none()
    serializer_class = serializers.RestoreJobSerializer
    filter_backends = [DjangoFilterBackend, OrderingFilter]
    filterset_fields = ["status", "source_job", "is_upload"]
    ordering_fields = ["created_at"]
    action_permissions = {
        "list": "view_restorejob",
        "retrieve": "view_restorejob",
        "restore_from_file": "restore_system",
        "restore_from_backup": "restore_system",
        "undo": "restore_system",
    }

    def get_queryset(self) -> Any:
        return selectors.restores()

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        self._upload = None
        if request.method == "POST" and self.action_map.get("post") == "restore_from_file":
            self._upload = ArchiveUploadHandler(request)
            request.upload_handlers = [self._upload]
        return super().initialize_request(request, *args, **kwargs)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        if self._upload:
            self._upload.remove()
        return super().finalize_response(request, response, *args, **kwargs)

    @extend_schema(
        request={"multipart/form-data": serializers.RestoreFromFileSerializer},
        parameters=[_KEY],
        responses={
            200: OpenApiResponse(serializers.PlanSerializer, description="for a dry run: the plan"),
            202: serializers.RestoreJobSerializer,
            413: OpenApiResponse(serializers.ErrorSerializer, description="the upload is too large"),
            422: OpenApiResponse(serializers.ErrorSerializer, description="not an archive, damaged or hostile; or it cannot be restored here"),
            **_ERRORS,
        },
    )
    @action(detail=False, methods=["post"], parser_classes=[MultiPartParser, FormParser])
    def restore_from_file(self, request: Request) -> Response:
        """Restores an archive that is uploaded, over the running system."""
        key = self.idempotency_key(request)
        known = self.started_before(RestoreJob, key)
        if known:
            return Response(self.get_serializer(known).data, status=202)
        self._refuse_second()
        wanted = serializers.RestoreFromFileSerializer(data=request.data)
        self._upload.check()
        wanted.is_valid(raise_exception=True)
        path = wanted.validated_data["file"].file.name
        found = native.run("verify", {"source": path, "quick": True})
        if found["status"] != "ok":
            first = found["damaged"][0]
            raise Refused(422, "damaged", f"{first['path']}: {first['reason']}", "Upload it again; compare its SHA-256 before.")
        answer = self._plan(path, wanted)
        if answer is not None:
            return answer
        path = self._upload.keep()
        try:
            job = restore_service.restore_start(
                source=path, options=wanted.engine_options(), is_upload=True, requested_by=request.user, idempotency_key=key
            )
        except BaseException:
            Path(path).unlink(missing_ok=True)
            raise
        return Response(self.get_serializer(job).data, status=202)

    @extend_schema(
        request=serializers.RestoreFromBackupSerializer,
        parameters=[_KEY],
        responses={
            200: OpenApiResponse(serializers.PlanSerializer, description="for a dry run: the plan"),
            202: serializers.RestoreJobSerializer,
            422: OpenApiResponse(serializers.ErrorSerializer, description="damaged; or it cannot be restored here"),
            **_ERRORS,
        },
    )
    @action(detail=False, methods=["post"], parser_classes=[JSONParser])
    def restore_from_backup(self, request: Request) -> Response:
        """Restores a backup that a job has made, over the running system."""
        wanted = serializers.RestoreFromBackupSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        key = self.idempotency_key(request)
        known = self.started_before(RestoreJob, key)
        if known:
            return Response(self.get_serializer(known).data, status=202)
        self._refuse_second()
        source = selectors.jobs().filter(pk=wanted.validated_data["backup_job"]).first()
        if source is None or not source.path:
            raise Refused(404, "no_such_backup", "there is no such backup job with an archive", "GET jobs/ lists them.")
        answer = self._plan(source.path, wanted)
        if answer is not None:
            return answer
        job = restore_service.restore_start(
            source=source.path, source_job=source, options=wanted.engine_options(), requested_by=request.user, idempotency_key=key
        )
        return Response(self.get_serializer(job).data, status=202)

    @extend_schema(request=None, responses={200: serializers.RestoreJobSerializer, **_ERRORS})
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, pk: str) -> Response:
        """Takes the restore back: database and files are what they were before it."""
        job = self.get_object()
        if job.is_active:
            raise Refused(409, "running", "this restore has not ended", "Wait until it has.")
        restore_service.restore_undo(job=job)
        return Response(self.get_serializer(job).data)

    def _refuse_second(self) -> None:
        if is_restoring() or selectors.restores().filter(status__in=ACTIVE).exists():
            raise Refused(409, "busy", "another restore is at work", "Wait until it has ended; GET restores/ shows it.")

    def _plan(self, source: str, wanted: serializers.RestoreOptionsSerializer) -> Response | None:
        """The plan, if that is what was asked for; nothing, if the restore may begin."""
        plan = restore_service.restore_plan(source=source, options=wanted.engine_options())
        if wanted.validated_data["dry_run"]:
            return Response(plan)
        if plan["problems"]:
            raise Refused(422, "preflight", "; ".join(plan["problems"]), "Nothing was touched. dry_run shows the whole plan.")
        return None


@extend_schema_view(list=extend_schema(responses={200: serializers.HealthCheckSerializer(many=True), **_ERRORS}))
class HealthViewSet(mixins.ListModelMixin, BackupViewSet):
    """What the health checks found."""

    queryset = HealthCheck.objects.none()
    serializer_class = serializers.HealthCheckSerializer
    filter_backends = [DjangoFilterBackend, OrderingFilter]
    filterset_fields = ["check_type", "status"]
    ordering_fields = ["checked_at"]
    action_permissions = {"list": "view_healthcheck", "latest_status": "view_healthcheck"}

    def get_queryset(self) -> Any:
        return selectors.health_checks()

    @extend_schema(responses={200: serializers.HealthSerializer, **_ERRORS}, filters=False)
    @action(detail=False, methods=["get"], pagination_class=None)
    def latest_status(self, request: Request) -> Response:
        """The newest result of each check, and the worst of them."""
        return Response(serializers.HealthSerializer(health_service.summary(selectors.health_latest())).data)
