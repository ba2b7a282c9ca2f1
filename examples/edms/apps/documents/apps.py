"""Documents with versions, a workflow and an audit trail."""

from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    """The documents application."""

    name = "apps.documents"
    label = "documents"
    default_auto_field = "django.db.models.BigAutoField"
