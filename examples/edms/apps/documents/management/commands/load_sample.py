"""``load_sample``: users, roles and documents to look at."""

import os
import random

from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.core.management.base import BaseCommand
from django.db import transaction

from apps.documents.models import AuditTrail, Document, Role, WorkflowState


class Command(BaseCommand):
    """Makes a small EDMS; the same one each time."""

    help = "Makes users, roles and documents to look at. The password of every user is its name, or that in SAMPLE_PASSWORD."

    def add_arguments(self, parser):
        """How many."""
        parser.add_argument("--documents", type=int, default=25)

    @transaction.atomic
    def handle(self, *args, **options):
        """Makes them."""
        dice = random.Random(7)
        users = get_user_model().objects
        admin = users.create_superuser("admin", "admin@example.org", os.environ.get("SAMPLE_PASSWORD", "admin"))
        people = [admin, *(users.create_user(name, f"{name}@example.org", os.environ.get("SAMPLE_PASSWORD", name)) for name in ("ada", "grace"))]
        for name in ("author", "reviewer", "approver"):
            Role.objects.create(name=name).users.set(people)
        before = None
        for number in range(1, options["documents"] + 1):
            document = Document.objects.create(
                number=f"SOP-{number:04}",
                title=f"Procedure {number}: Größe, 文書, naïve",
                state=dice.choice(WorkflowState.values),
                author=dice.choice(people),
                supersedes=before if number % 5 == 0 else None,
                metadata={"pages": number, "tags": ["sample"]},
            )
            document.cover.save(f"cover-{number}.svg", ContentFile(f"<svg>{number}</svg>".encode()))
            for version in range(1, 1 + dice.randint(1, 3)):
                content = dice.randbytes(dice.randint(200, 60_000))
                document.versions.create(version=f"{version}.0", file=ContentFile(content, f"{document.number}-v{version}.pdf"))
                AuditTrail.objects.create(document=document, user=document.author, action=f"version {version}.0 added")
            before = document
        self.stdout.write(f"made {Document.objects.count()} documents and {len(people)} users")
