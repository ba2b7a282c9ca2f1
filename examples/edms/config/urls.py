"""URLs of the sample EDMS."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/v1/backup/", include("edms_backup.urls")),
]
