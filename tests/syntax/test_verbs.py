"""What verbs say to a model, to the letter, and what their values are in SQL."""

from __future__ import annotations

import pytest
from desugaring import Stub, core_of

from heliumql.syntax.verbs.prompts import verb_prompt

SAID = {
    "LLM_FILTER('Is {title} good?')": "Is Up good?\nAnswer true or false.",
    "LLM_FILTER(title || '?')": "Up?\nAnswer true or false.",
    "LLM_SCORE('How good is {0}?', upper(body))": "How good is GOOD?\nAnswer with a number.",
    "llm_score(title)": "Up\nAnswer with a number.",
}


@pytest.mark.parametrize("call", SAID)
def test_a_verb_says(stub: Stub, call: str) -> None:
    stub.answer = lambda prompt: None
    stub.rows(f"SELECT {call} FROM reviews WHERE id = 1")
    assert stub.asked[0][1] == SAID[call]


SHOWN = {
    "LLM_FILTER('Is {title} good?')": "Is {title} good?\nAnswer true or false.",
    "LLM_SCORE('{{{0}}}: ' || title)": "{'{{{0}}}: ' || title}\nAnswer with a number.",
    "LLM_GENERATE('On {body}' RETURNS INTEGER)": "On {body}",
}


@pytest.mark.parametrize("call", SHOWN)
def test_the_prompt_of_a_verb_is_shown_whole(call: str) -> None:
    (site,) = core_of(f"SELECT {call} FROM reviews").sites
    assert site.template == SHOWN[call]
    assert site.version == 1


@pytest.mark.parametrize(("verb", "names"), [("LLM_FILTER", {"question"})])
def test_the_catalog_names_what_is_put_in(verb: str, names: set[str]) -> None:
    parts = [p for p in verb_prompt(verb).parts if not isinstance(p, str)]
    assert {p.path[0] for p in parts} == names
