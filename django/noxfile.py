"""The tests with every supported version of Django: ``nox`` in this folder."""

import nox


@nox.session(venv_backend="none")
@nox.parametrize("django", ["4.2", "5.2"])
def tests(session: nox.Session, django: str) -> None:
    """The environment is made by the script that `make test` uses."""
    session.run("../scripts/test-django.sh", *session.posargs, env={"DJANGO": django}, external=True)
