"""The product over PostgreSQL as an administrator sets it up: one variable; and a server that is not there is told."""

import subprocess
import sys
from pathlib import Path

from tests.databases import Cluster, Databases
from tests.e2e.product import ROOT, Product, free_port


def written(url: str) -> str:
    """As people write it, with a password that no line may repeat."""
    return url.replace("postgresql+asyncpg://tests@", "postgres://tests:hunter2@")


def test_it_runs_on_what_database_url_names(
    tmp_path: Path, postgres_databases: Databases, postgres: Cluster
) -> None:
    product = Product(
        tmp_path / "data", settings={"DATABASE_URL": written(postgres_databases.fresh(tmp_path))}
    )
    try:
        product.start()
        assert product.setup_link()
        assert product.stop() == 0
    finally:
        product.end()
    assert not list((tmp_path / "data").glob("*.db"))
    assert "hunter2" not in product.log


def test_a_start_without_its_database_says_so_in_a_sentence(tmp_path: Path) -> None:
    product = Product(tmp_path / "data", settings={"DATABASE_URL": "postgres://yw:hunter2@127.0.0.1:9/yw"})
    ended = subprocess.run(
        [sys.executable, "-m", "youworker_app.serve"],
        cwd=ROOT,
        env=product.environment() | {"YOUWORKER_SERVER_PORT": str(free_port())},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    told = ended.stdout + ended.stderr
    assert "YouWorker cannot start: The database 127.0.0.1:9/yw cannot be used: Connection refused." in told
    assert "Traceback" not in told
    assert "hunter2" not in told
