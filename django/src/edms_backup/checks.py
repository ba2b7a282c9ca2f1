"""System checks: settings that cannot work, found before the first backup is due."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured

from . import site
from .conf import DEFAULTS, backup_settings


@register("backup")
def check_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Keys and values of ``EDMS_BACKUP``."""
    found: list[CheckMessage] = []
    given = backup_settings.given
    if not isinstance(given, dict):
        return [Error("EDMS_BACKUP is not a dictionary", id="backup.E001")]
    for key in sorted(set(given) - set(DEFAULTS)):
        found.append(Error(f"EDMS_BACKUP has no key {key!r}", hint=f"Keys are {', '.join(sorted(DEFAULTS))}.", id="backup.E002"))
    try:
        site.database_url()
    except ImproperlyConfigured as error:
        found.append(Error(str(error), id="backup.E003"))
    except KeyError:
        found.append(Error(f"DATABASES has no alias {backup_settings.DATABASE!r}", hint='See EDMS_BACKUP["DATABASE"].', id="backup.E003"))
    for label, checksum in backup_settings.CHECKSUMS.items():
        try:
            model, _, name = label.rpartition(".")
            apps.get_model(model)._meta.get_field(name)
            apps.get_model(model)._meta.get_field(checksum)
        except (LookupError, ValueError, FieldDoesNotExist) as error:
            found.append(Error(f"CHECKSUMS: {label!r}: {error}", hint='Write "app.Model.file_field": "checksum_field".', id="backup.E004"))
    into = backup_settings.RESTORE_INTO
    if into not in (None, "swap", "replace"):
        found.append(Error(f"RESTORE_INTO is {into!r}", hint='It is "swap", "replace" or None.', id="backup.E005"))
    return found


@register("backup")
def check_encryption(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Whether the recipients' file is there, if one is named."""
    path = backup_settings.RECIPIENTS_FILE
    if path and not Path(path).is_file():
        return [Error(f"RECIPIENTS_FILE: {path} is not a file", hint="Encrypted backups would fail.", id="backup.E006")]
    return []


@register("backup")
def check_storage(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Whether backups can be written, and every file field's files are in them."""
    found: list[CheckMessage] = []
    repository = backup_settings.repository
    folder = next(folder for folder in [repository.absolute(), *repository.absolute().parents] if folder.exists())
    if not os.access(folder, os.W_OK):
        hint = "Name another folder in EDMS_BACKUP[\"REPOSITORY\"] or BACKUP_ROOT, or give it to the user that Django runs as."
        found.append(Warning(f"backups cannot be written: {folder} is not writable", hint=hint, id="backup.W001"))
    roots = site.file_roots()
    for name, root in roots.roots.items():
        if root.absolute() == repository.absolute() or root.absolute() in repository.absolute().parents:
            found.append(Warning(f"the repository lies within the file root {name} ({root})", hint="Anybody who can read uploads can read backups.", id="backup.W002"))
    for label, reason in roots.uncovered.items():
        found.append(Warning(f"{label}: {reason}", hint="Back those files up by other means.", id="backup.W003"))
    return found


@register("backup", Tags.database)
def check_encryption_demanded(app_configs: Any, databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Whether a configuration wants encryption and nobody could open it."""
    from django.db import DatabaseError

    from .models import BackupConfiguration

    if not databases or backup_settings.RECIPIENTS_FILE:
        return []
    try:
        names = list(BackupConfiguration.objects.filter(encryption_enabled=True, is_enabled=True).values_list("name", flat=True))
    except DatabaseError:
        return []
    if not names:
        return []
    hint = 'Set EDMS_BACKUP["RECIPIENTS_FILE"].'
    return [Error(f"configurations want encryption, and no recipient is set: {', '.join(names)}", hint=hint, id="backup.E007")]
