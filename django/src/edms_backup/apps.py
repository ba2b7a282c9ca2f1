"""The Django application, label ``backup``."""

from django.apps import AppConfig


class BackupAppConfig(AppConfig):
    """Backups of the project: database, uploaded files, configuration."""

    name = "edms_backup"
    label = "backup"
    verbose_name = "Backups"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks  # noqa: F401 - registers itself
