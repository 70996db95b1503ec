"""A parser of arguments whose help says first what the command is, and whose errors say what next.

`arguments.py` makes one for each command, the files of `bench/` one for each study.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

from heliumql.errors import HeliumQLError

WIDTH = 80


class UsageError(HeliumQLError):
    """The command line itself is wrong."""

    exit_status = 2


class Parser(argparse.ArgumentParser):
    """Raises UsageError where argparse would print its usage and leave."""

    def __init__(self, prog: str, usage: str, description: str, epilog: str) -> None:
        """`usage` without the name of the program; it is one line."""
        super().__init__(
            prog=prog,
            usage=f"{prog} {usage}",
            description=description,
            epilog=epilog,
            formatter_class=_Formatter,
            allow_abbrev=False,
            add_help=False,
        )
        self.add_argument("-h", "--help", action="help", help="show this")
        # Values like -2,3 and -1/2 are no options: it is for the command to say what is wrong.
        self._negative_number_matcher = re.compile(r"-\.?[0-9][0-9.,/]*$")

    def format_help(self) -> str:
        """What it is, then how it is called, then the rest."""
        usage, description, rest = super().format_help().split("\n\n", 2)
        rest = rest.replace("positional arguments:", "arguments:", 1)
        return f"{description}\n\n{usage}\n\n{rest}"

    def print_help(self, file: Any = None) -> None:
        from heliumql.cli.help import show

        status = show(self.format_help())
        if status:
            sys.exit(status)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        options, left = self.parse_known_args(args, namespace)
        if left:
            self._refuse(left[0])
        return options

    def error(self, message: str) -> NoReturn:
        """argparse's message in our words."""
        see = f"{self.prog} --help shows what there is"
        if found := re.match(r"argument (\S+): invalid choice: (.*?) \(choose from", message):
            choices = [str(c) for c in self._action(found[1]).choices or ()]
            near = nearest(found[2].strip("'"), choices)
            hint = f"did you mean {near}?" if near else "one of " + ", ".join(choices)
            raise UsageError(f"{found[1]}: invalid choice: {found[2]}", hint=hint)
        if found := re.match(r"argument (\S+): expected (one|at least one) argument", message):
            action = self._action(found[1])
            value = "|".join(map(str, action.choices)) if action.choices else action.metavar
            raise UsageError(f"{found[1]}: a value is missing", hint=f"{found[1]} {value}")
        if found := re.match(r"argument (\S+): ignored explicit argument (.*)", message):
            raise UsageError(f"{found[1]} takes no value; it was given {found[2]}", hint=see)
        if found := re.match(r"argument (\S+): invalid int value: (.*)", message):
            raise UsageError(f"{found[1]}: {found[2]} is not a whole number")
        if found := re.match(r"argument (\S+): not allowed with argument (\S+)", message):
            raise UsageError(f"{found[1]} and {found[2]} exclude each other")
        if found := re.match(r"the following arguments are required: (.*)", message):
            raise UsageError(f"{found[1]} is missing", hint=(self.usage or self.prog))
        raise UsageError(message.removeprefix("argument "), hint=see)

    def _refuse(self, left: str) -> NoReturn:
        """An argument that means nothing here."""
        see = f"{self.prog} --help shows what there is"
        if not left.startswith("-") or left == "-":
            raise UsageError(f"one argument too many: {left!r}", hint=see)
        option = left.partition("=")[0]
        known = [o for a in self._actions for o in a.option_strings]
        if self.prog == "heliumql":
            known.append("--version")
        if option == "--version":
            raise UsageError(f"no option {option} here", hint="heliumql --version")
        near = nearest(option, known)
        raise UsageError(f"no option {option}", hint=f"did you mean {near}?" if near else see)

    def _action(self, shown: str) -> argparse.Action:
        """The argument that a message calls so: -c, --set or FILE."""
        return next(
            a for a in self._actions if shown in ("/".join(a.option_strings), a.metavar, a.dest)
        )


class Once(argparse.Action):
    """An option of which a second value would silently replace the first."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: Any = None) -> None:
        given = f"_{self.dest}_is_given"
        if hasattr(namespace, given):
            raise UsageError(f"{option_string} is given twice")
        setattr(namespace, given, True)
        setattr(namespace, self.dest, values)


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Help for a terminal of 80 columns, whatever the terminal has."""

    def __init__(self, prog: str, **given: Any) -> None:
        super().__init__(prog, **{**given, "width": WIDTH, "max_help_position": 24})


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The one of the known words that the word may be a slip of."""
    found = get_close_matches(word.lower(), known, 1)
    return found[0] if found else None
