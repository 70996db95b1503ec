"""The prompt: lines are edited here until a statement is complete."""

from __future__ import annotations

from collections.abc import Callable

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import Completer, DynamicCompleter
from prompt_toolkit.enums import DEFAULT_BUFFER, EditingMode
from prompt_toolkit.filters import has_focus, is_searching
from prompt_toolkit.history import History
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.key_binding.key_processor import KeyPressEvent
from prompt_toolkit.search import accept_search

from heliumql.cli.repl.entries import is_complete
from heliumql.cli.repl.highlighting import STYLE, HqlLexer

PROMPT = "hql> "
_CONTINUED = "...> "
_MENU_LINES = 6


class Prompt:
    """Asks for entries on the terminal."""

    def __init__(self, history: History, completer: Callable[[], Completer]) -> None:
        """`completer` gives the one of the database that is open."""
        self._session: PromptSession[str] = PromptSession(
            message=PROMPT,
            history=history,
            lexer=HqlLexer(),
            style=STYLE,
            completer=DynamicCompleter(completer),
            complete_while_typing=True,
            multiline=True,
            # A line that the terminal breaks is one line, and looks it.
            prompt_continuation=lambda width, number, wrapped: (
                " " * width if wrapped else _CONTINUED.rjust(width)
            ),
            key_bindings=_bindings(),
            enable_open_in_editor=True,
            enable_system_prompt=False,
            tempfile_suffix=".sql",
            reserve_space_for_menu=_MENU_LINES,
            editing_mode=EditingMode.EMACS,
        )

    def ask(self) -> str:
        """What is typed next. Raises EOFError at Ctrl-D, KeyboardInterrupt at Ctrl-C."""
        return self._session.prompt()


def _bindings() -> KeyBindings:
    bindings = KeyBindings()
    in_entry = has_focus(DEFAULT_BUFFER)

    @bindings.add("enter", filter=in_entry)
    def enter(event: KeyPressEvent) -> None:
        """Runs what is complete; else the next line begins."""
        buffer = event.current_buffer
        if buffer.complete_state is not None and buffer.complete_state.current_completion:
            buffer.complete_state = None  # it has been taken over
        elif is_complete(buffer.text):
            buffer.validate_and_handle()
        else:
            buffer.insert_text("\n")

    @bindings.add("escape", "enter", filter=in_entry)
    def run(event: KeyPressEvent) -> None:
        """Alt-Enter runs what is there, also without a semicolon."""
        event.current_buffer.validate_and_handle()

    @bindings.add("enter", filter=is_searching)
    def run_found(event: KeyPressEvent) -> None:
        """Ctrl-R, then Enter: what was found is run."""
        accept_search()
        if is_complete(event.current_buffer.text):
            event.current_buffer.validate_and_handle()

    return bindings
