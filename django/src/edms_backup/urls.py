"""The REST API. Include it below ``api/v1/backup/``."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import SimpleRouter

from .api import viewsets
from .api.permissions import StaffWithPermission

router = SimpleRouter()
router.register("configurations", viewsets.ConfigurationViewSet, basename="configuration")
router.register("jobs", viewsets.BackupJobViewSet, basename="job")
router.register("system", viewsets.SystemViewSet, basename="system")
router.register("restores", viewsets.RestoreJobViewSet, basename="restore")
router.register("health", viewsets.HealthViewSet, basename="health")

app_name = "backup"
urlpatterns = [
    path("", include(router.urls)),
    path(
        "schema/",
        SpectacularAPIView.as_view(
            urlconf="edms_backup.api.schema_urls",
            permission_classes=[StaffWithPermission],
            custom_settings={"TITLE": "Backups", "VERSION": "1", "SCHEMA_PATH_PREFIX": "/api/v1/backup"},
        ),
        name="schema",
    ),
]
