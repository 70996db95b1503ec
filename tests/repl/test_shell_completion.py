"""Completion in the shell itself, on a terminal."""

from __future__ import annotations

from terminal import Terminal

TAB = "\t"


def completed(shell: Terminal, typed: str, menu: str, rest: str) -> str:
    """Types, waits for a menu that has this in it, takes the first of it, types the rest."""
    shell.type(typed)
    shell.until(menu)
    return shell.run(TAB + rest)


def test_tables_and_columns_that_were_just_made(shell: Terminal) -> None:
    shell.run("CREATE TABLE people (name VARCHAR, birthday DATE);")
    shell.run("INSERT INTO people VALUES ('Ada', '1815-12-10');")
    assert "1815-12-10" in completed(shell, "FROM peo", r"people.*2 columns", ";")
    assert "birthday" in completed(shell, "FROM people SELECT birt", r"birthday.*DATE", ";")


def test_models_arguments_and_placeholders(shell: Terminal) -> None:
    shell.run("CREATE MODEL invented WITH (engine = 'simulated');")
    typed = "SELECT LLM_GENERATE('Say {na}', model => 'inv"
    assert "greeting" in completed(
        shell, typed, "invented", ") AS greeting FROM (SELECT 'Ada' AS na);"
    )
    typed = "SELECT LLM_GENERATE('a', temper"
    assert "warm" in completed(shell, typed, "temperature.*likeliest", "0) AS warm;")


def test_dot_commands_and_what_they_take(shell: Terminal) -> None:
    completed(shell, ".mod", r"\.mode", " csv")
    assert shell.run("SELECT 1 AS a;").split() == ["a", "1"]


def test_keywords_of_duckdb_as_they_are_typed(shell: Terminal) -> None:
    assert "42" in completed(shell, "sel", "select", " 42;")
