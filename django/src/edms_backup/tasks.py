"""Jobs as Celery tasks. Imported only by :class:`edms_backup.runners.CeleryRunner` and by Celery itself."""

from celery import shared_task

from .runners import execute


@shared_task(name="edms_backup.execute_job", acks_late=False, ignore_result=True)
def execute_job(kind: str, pk: str) -> None:
    """Carries out the job of this kind."""
    execute(kind, pk)
