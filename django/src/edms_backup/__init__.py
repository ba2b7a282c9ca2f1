"""Backup, verification and restore of an EDMS, in-process.

``edms_backup.native`` is a typed layer over the C interface and needs nothing else. With Django, add ``"edms_backup"`` to ``INSTALLED_APPS``
(app label ``backup``); see ``docs/django.md``.
"""
