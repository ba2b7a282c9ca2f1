"""Documents in the admin."""

from django.contrib import admin

from .models import AuditTrail, Document, DocumentVersion, Role


class VersionInline(admin.TabularInline):
    """Versions of a document."""

    model = DocumentVersion
    extra = 0


@admin.register(Document)
class DocumentAdmin(admin.ModelAdmin):
    """Documents with their versions."""

    list_display = ["number", "title", "state", "author"]
    list_filter = ["state"]
    inlines = [VersionInline]


admin.site.register(Role)
admin.site.register(AuditTrail)
