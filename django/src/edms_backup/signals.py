"""What others may wait for. Receivers that raise are logged and do not change how a job ends."""

from django.dispatch import Signal

#: A backup has ended: ``job``.
backup_finished = Signal()
#: A restore begins: ``job``.
pre_restore = Signal()
#: A restore has ended well: ``job``. The place to rebuild search indexes; caches are cleared already.
post_restore = Signal()
