"""The interactive shell.

`start.py` opens it and reads what is typed or piped; `shell.py` runs it: `statement.py` a statement
in a thread of its own while the main thread shows rows and progress, `dot_commands` what begins
with a dot. `screen.py` is where all of it is written.
"""
