"""The URLs that the OpenAPI schema of this application describes."""

from django.urls import include, path

urlpatterns = [path("api/v1/backup/", include("edms_backup.urls"))]
