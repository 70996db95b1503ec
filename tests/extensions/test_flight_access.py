"""Who may do what on a server: tokens, encryption, --safe."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from serving import PROGRAM, TOKEN, environment, run, serving

import heliumql
from heliumql.extensions.flight import tokens


def refused(*arguments: str, folder: Path, **extra: str) -> str:
    """What a server that does not start says."""
    done = subprocess.run(
        [*PROGRAM, "serve", "--port", "0", *arguments],
        cwd=folder,
        env=environment(**extra),
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_token_is_made_shown_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "token"
    with serving("--token-file", "token", folder=tmp_path, token=None) as one:
        token = path.read_text().strip()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert len(token) > 30
        done = run(one.url, "--token-file", str(path), "-c", "SELECT 42 AS a", token=None)
        assert (done.returncode, done.stdout) == (0, "a\n42\n")
        one.stop()
        assert f"token: {token}\n" in one.said
    os.chmod(path, 0o644)
    with serving("--token-file", "token", folder=tmp_path, token=None) as one:
        assert "others can read token" in one.said[0]
        with one.connect(token) as con:
            assert con.execute("SELECT 42").fetchall() == [(42,)]
        with pytest.raises(heliumql.EngineError, match="refuses the token"):
            one.connect(token[:-1])
        one.stop()
        assert not any(token in line for line in one.said)


def test_without_a_token_only_on_loopback(tmp_path: Path) -> None:
    with serving("--no-token", folder=tmp_path, token=None) as one:
        assert run(one.url, "-c", "SELECT 42", token=None).returncode == 0
    assert "loopback only" in refused("--no-token", "--host", "0.0.0.0", folder=tmp_path)


def test_it_is_told_that_traffic_can_be_read(tmp_path: Path) -> None:
    with serving("--host", "0.0.0.0", folder=tmp_path) as one:
        one.stop()
        assert any("is not encrypted" in line for line in one.said)


def test_tokens_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert "holds no token" in refused("--token-file", "empty", folder=tmp_path)
    assert "too short" in refused(folder=tmp_path, HELIUMQL_TOKEN="short")
    assert "cannot write the token" in refused("--token-file", "no/where", folder=tmp_path)
    with pytest.raises(heliumql.ExecutionError):
        tokens.checked("two words that are long enough", "here")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes the certificate")
def test_traffic_can_be_encrypted(tmp_path: Path) -> None:
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout",
            "key.pem",
            "-out",
            "cert.pem",
        ],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    with serving("--tls-cert", "cert.pem", "--tls-key", "key.pem", folder=tmp_path) as one:
        assert one.url.startswith("grpc+tls://")
        root = tmp_path / "cert.pem"
        with heliumql.connect(one.url, token=TOKEN, tls_root=root.read_bytes()) as con:
            assert con.execute("SELECT 42").fetchall() == [(42,)]
        assert run(one.url, "--tls-root", str(root), "-c", "SELECT 1").returncode == 0
        with pytest.raises(heliumql.EngineError, match="cannot be reached") as without:
            heliumql.connect(one.url, token=TOKEN)
        assert "tls_root" in str(without.value)
        with pytest.raises(heliumql.EngineError, match="no certificates in PEM"):
            heliumql.connect(one.url, token=TOKEN, tls_root="cert.pem")  # type: ignore[call-overload]
    assert "belong together" in refused("--tls-cert", "cert.pem", folder=tmp_path)
    exchanged = refused("--tls-cert", "key.pem", "--tls-key", "cert.pem", folder=tmp_path)
    assert "no certificate with its key" in exchanged


SHUT = [
    "SELECT * FROM read_text('init.hql')",
    "FROM 'secret.csv'",
    "COPY (SELECT 1) TO 'out.csv'",
    "ATTACH 'other.duckdb'",
    "INSTALL httpfs",
    "SET enable_external_access = true",
    "SET allowed_configs = ['enable_external_access']",
    "RESET lock_configuration",
    "CREATE MODEL x WITH (engine = 'openai', base_url = 'http://x/v1', model = 'x')",
    "CREATE TEMP MODEL x WITH (engine = 'simulated')",
    "DROP MODEL m",
    "SET llm_cache_path = '/tmp/x.answers'",
    "RESET llm_cache_path",
    "CLEAR CACHE",
    # Statements that name a prompt are kept as ours, to be run later.
    "PREPARE later AS CREATE MODEL named WITH (engine = 'simulated')",
    "PREPARE later AS PREPARE later AS CLEAR CACHE WHERE model = named",
    "PREPARE later AS SET llm_cache_path = named",
]


def test_safe_keeps_clients_to_the_database(tmp_path: Path) -> None:
    (tmp_path / "init.hql").write_text("CREATE MODEL m WITH (engine = 'simulated')")
    (tmp_path / "secret.csv").write_text("a\n1\n")
    arguments = ["--safe", "--init", "init.hql", "--database", "my.duckdb"]
    with serving(*arguments, folder=tmp_path) as one, one.connect() as con:
        con.execute("CREATE PROMPT named(b VARCHAR) AS 'Say {b}'")
        before = set(os.listdir(tmp_path))
        for text in SHUT:
            with pytest.raises(heliumql.HeliumQLError):
                con.execute(text).fetchall()
        assert set(os.listdir(tmp_path)) == before
        con.execute("CREATE TABLE t AS SELECT i, 'x' || i AS b FROM range(50) r(i)")
        query = (
            "SELECT i, LLM_GENERATE('Sum up {b}', max_tokens => 3) AS a FROM t "
            "WHERE LLM_FILTER('Is {b} good?') AND LLM_SCORE('How good is {b}?') > -1 ORDER BY a"
        )
        con.execute(query).fetchall()
        con.execute("SET llm_optimizer = 'off'").execute(query + " LIMIT 2").fetchall()
        con.execute("EXPLAIN " + query).fetchall()
        con.execute("CREATE PROMPT p(b VARCHAR) AS 'Say {b}'; SELECT p(b) FROM t").fetchall()
        con.execute("SELECT LLM_GENERATE('{b}', temperature => 1) FROM t LIMIT 3").fetchall()
