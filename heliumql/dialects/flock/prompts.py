"""Prompts of Flock that the text has made before: their versions, by name."""

from __future__ import annotations

from heliumql.dialects.flock.fields import Field, Fields
from heliumql.dialects.mistakes import mistake
from heliumql.syntax.mistakes import suggestion


class Prompts:
    """The texts of each prompt in order; version 1 comes first."""

    def __init__(self) -> None:
        self._texts: dict[str, list[str]] = {}

    def add(self, name: str, text: str) -> None:
        self._texts.setdefault(name, []).append(text)

    def remove(self, name: str) -> None:
        self._texts.pop(name, None)

    def asked(self, fields: Fields) -> str:
        """What `prompt`, or `prompt_name` and `version`, say; raises BindError otherwise."""
        given, name, version = (fields.take(key) for key in ("prompt", "prompt_name", "version"))
        if given is not None:
            if name or version:
                raise mistake("there are two prompts", (name or version or given).place, None)
            text = given.text("prompt")
            if not text:
                raise mistake("the prompt is empty", given.span, None)
            return text
        if name is None:
            hint = "{'prompt': '..', 'context_columns': [{'data': column}]}"
            raise mistake(f"{fields.what} needs prompt or prompt_name", fields.place, hint)
        return self._named(name, version)

    def _named(self, name: Field, version: Field | None) -> str:
        said = name.text("prompt_name")
        texts = self._texts.get(said)
        if texts is None:
            hint = f"CREATE PROMPT({name.source[name.span.start : name.span.end]}, '..') before it"
            if self._texts:
                hint = f"{suggestion(said, self._texts, 'prompts')}; {hint}"
            raise mistake(f"this text has made no prompt {said}", name.span, hint)
        if version is None:
            return texts[-1]
        number = version.value("version")
        if not isinstance(number, int) or not 1 <= number <= len(texts):
            hint = f"versions are 1 to {len(texts)}: those that this text has made"
            raise mistake(f"{said} has no such version", version.span, hint)
        return texts[number - 1]
