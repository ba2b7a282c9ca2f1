"""Documents, their versions with files, who may do what with them, and what happened."""

import hashlib
import uuid

from django.conf import settings
from django.core.files.storage import storages
from django.db import models


def document_storage():
    """Where the files of documents are."""
    return storages["documents"]


class WorkflowState(models.TextChoices):
    """The life of a document."""

    DRAFT = "draft", "Draft"
    IN_REVIEW = "in_review", "In review"
    EFFECTIVE = "effective", "Effective"
    OBSOLETE = "obsolete", "Obsolete"


class Document(models.Model):
    """A controlled document."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.CharField(max_length=50, unique=True)
    title = models.CharField(max_length=255)
    state = models.CharField(max_length=20, choices=WorkflowState.choices, default=WorkflowState.DRAFT)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="documents")
    supersedes = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL)
    cover = models.FileField(upload_to="covers/", blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self):
        return f"{self.number} {self.title}"


class DocumentVersion(models.Model):
    """One version of a document, with its file."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="versions")
    version = models.CharField(max_length=20)
    file = models.FileField(upload_to="%Y/%m/", storage=document_storage, max_length=500)
    file_checksum = models.CharField(max_length=64, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["document", "version"], name="documents_one_of_each_version")]

    def __str__(self):
        return f"{self.document.number} v{self.version}"

    def save(self, *args, **kwargs):
        """Notes the SHA-256 of the file."""
        digest = hashlib.sha256()
        for piece in self.file.chunks():
            digest.update(piece)
        self.file_checksum = digest.hexdigest()
        super().save(*args, **kwargs)


class Role(models.Model):
    """What somebody may do with documents."""

    name = models.CharField(max_length=100, unique=True)
    users = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="document_roles", blank=True)

    def __str__(self):
        return self.name


class AuditTrail(models.Model):
    """What happened to a document."""

    document = models.ForeignKey(Document, null=True, on_delete=models.SET_NULL, related_name="audit_trail")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    action = models.CharField(max_length=100)
    happened_at = models.DateTimeField(auto_now_add=True)

    def __str__(self):
        return f"{self.happened_at} {self.action}"
