"""The rules, one a file; phases.py says in which order they run and why."""
