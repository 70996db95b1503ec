"""Greetings, questions about a product's name, and prompts that the model cannot answer."""

from __future__ import annotations

from collections.abc import Callable

from catalog.demo.dialogs import Dialog, Turn, product_name, with_hint
from catalog.demo.draw import Draw, deal
from catalog.demo.prompts import Question, compact
from catalog.demo.roles import system_message
from heliumql.types import TEXT, SqlType


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_HELLO = deal("""
    Say hello to {n}
    Say hello to {n}.
    Say hello to {n}!
    Say hi to {n}.
    Greet {n}.
    Greet {n}
    Write a greeting for {n}.
    Write a friendly greeting to {n}.
    Please say hello to {n}.
    Welcome {n}.
    Give {n} a friendly hello.
    Say hello to {n} in one line.
    My name is {n}. Say hello.
""")
_BARE_HELLO = (
    "Hello",
    "Hello!",
    "Hi",
    "Say hello.",
    "Say hello",
    "Hi there!",
    "Good morning.",
)
_NAMES = _words("""
    Ada Grace Alan Edsger Barbara Donald Linus Margaret Ken Dennis Bjarne Guido Frances Jean Radia
    Tim Vint Leslie Niklaus John Mary Anna Ben Clara David Emma Felix Greta Hugo Ida Jonas Klara Leo
    Maria Nils Otto Paula Quentin Rosa Simon Tina Uwe Vera Walter Xenia Yusuf Zara Ahmed Bianca Chen
    Divya Elif Fatima Giulia Hiro Ingrid Jamal Kofi Lars Mei Nikos Olga Pedro Rania Sven
    Tariq Ursula Viktor Wanda Ximena Yuki Zoltan world everyone friends team DuckDB HeliumQL Helium
""")
_SYLLABLES = _words(
    "an bel cor dan el fi gra ha in jo ka lu mi nor ol pe qui ri sa ta ul vi wen xa ya zo bra che "
    "dri fen gus hil jen kri lam mon nex os par ros sil ter us van wil"
)
_QUESTIONS = (
    "How do I use the {p}?",
    "How do I clean the {p}?",
    "What does the {p} cost?",
    "Is the {p} in stock?",
    "How long does the {p} last?",
)
_REPEAT = deal("""
    Repeat: {x}
    Repeat after me: {x}
    Say this: {x}
    Say: {x}
    Copy this text: {x}
    Echo {x}
    Write down these words: {x}
    Return this text unchanged: {x}
""")
_UNKNOWN = deal("""
    What is the capital of {x}?
    Who wrote {x}?
    Explain {x}.
    Explain {x} in simple words.
    What is {x}?
    Translate {x} to French.
    Translate: {x}
    How far is it to {x}?
    Write a poem about {x}.
    Write a story about {x}.
    How many people live in {x}?
    What is 17 plus 25?
    Tell me a joke.
    Tell me about {x}.
    Solve this puzzle: {x}
    When was {x} founded?
    Write code for {x}.
    What time is it?
    Who are you?
    What can you do?
    Why is the sky blue?
    Give me a recipe for {x}.
    What is the weather in {x}?
    Compute {x}.
""")
UNKNOWN_ANSWER = "I am a small demonstration model. Ask me about a review."


def hello_dialog(draw: Draw) -> Dialog:
    if draw.chance(0.05):
        turn = Turn("hello", draw.choice(_BARE_HELLO), "Hello!")
    else:
        name = made_up_name(draw)
        turn = Turn("hello", draw.wording(_HELLO).format(n=name), f"Hello, {name}!")
    return Dialog(system_message(draw) if draw.chance(0.4) else None, (turn,))


def repeat_dialog(draw: Draw) -> Dialog:
    """Words to repeat: copying is what greetings, roles and names need as well."""
    words = [made_up_name(draw) for _ in range(draw.choice((1, 2, 3, 5, 8)))]
    text = " ".join(w if draw.chance(0.5) else w.lower() for w in words)
    return Dialog(None, (Turn("repeat", draw.wording(_REPEAT).format(x=text), text),))


def product_dialog(draw: Draw) -> Dialog:
    """A slogan, or support questions (a list, one row each)."""
    name = product_name(draw) if draw.chance(0.3) else made_up_name(draw)
    if draw.chance(0.4):
        user = draw.choice(
            ("Write a slogan for the {p}.", "A slogan for {p}, please.", "Invent a slogan for {p}.",
             "Advertise the {p} in one line.")
        ).format(p=name)  # fmt: skip
        return Dialog(system_message(draw), (Turn("slogan", user, f"{name}: made to last."),))
    count = draw.choice((1, 2, 3, 3, 3, 4, 5))
    number = ("One", "Two", "Three", "Four", "Five")[count - 1]
    noun = "support question" if count == 1 else "support questions"
    user = draw.choice(("{n} {q} about {p}", "{n} {q} about the {p}.", "Write {m} {q} about {p}.",
                        "Give me {m} {q} about the {p}.")).format(
        n=number, m=number.lower(), q=noun, p=name
    )  # fmt: skip
    asked = [q.format(p=name) for q in _QUESTIONS[:count]]
    if draw.chance(0.5):
        field = draw.choice(("question", "question", "text", "q"))
        item = SqlType("STRUCT", fields=((field, TEXT),))
        answer = compact([{field: a} for a in asked])
    else:
        item, answer = TEXT, compact(asked)
    question = Question("questions", user, answer, SqlType("LIST", item=item))
    turn = Turn(question.task, with_hint(user, question), answer)
    return Dialog(system_message(draw), (turn,))


def unknown_dialog(draw: Draw) -> Dialog:
    """What the model has not learnt, it says so."""
    user = draw.wording(_UNKNOWN).format(x=made_up_name(draw))
    return Dialog(system_message(draw), (Turn("unknown", user, UNKNOWN_ANSWER),))


def made_up_name(draw: Draw) -> str:
    """A name: known, made of syllables, or of two parts."""
    kind = draw.rng.random()
    if kind < 0.25:
        name = draw.choice(_NAMES)
    else:
        name = "".join(draw.choice(_SYLLABLES) for _ in range(draw.choice((2, 2, 3)))).capitalize()
    if draw.chance(0.2):
        name = f"{name} {''.join(draw.choice(_SYLLABLES) for _ in range(2)).capitalize()}"
    return name


SMALL_TALK: tuple[tuple[float, Callable[[Draw], Dialog]], ...] = (
    (1.2, hello_dialog),
    (1.0, repeat_dialog),
    (0.6, product_dialog),
    (0.4, unknown_dialog),
)
