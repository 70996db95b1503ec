"""LOTUS: a semantic map over a data frame of pandas, in prompts of its own."""

import logging
import os
import sys
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

sys.path.append(str(Path(__file__).parents[2]))
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it is fetched

import pandas
from systems.common import SECONDS, Answers, Ask, Given, Item, main
from systems.table import at_once, table_of

OWN_LIMIT = 64


def leave_out_torch() -> None:
    """LOTUS imports these two at once, though only other operators of it use them."""
    sys.modules["torch"] = ModuleType("torch")
    sys.modules["sentence_transformers"] = transformers = ModuleType("sentence_transformers")
    transformers.SentenceTransformer = transformers.CrossEncoder = None  # type: ignore[attr-defined]


def prepare(given: Given) -> Ask:
    leave_out_torch()
    import lotus
    from lotus.models import LM

    model = LM(
        f"openai/{given.model}",
        temperature=0,
        max_tokens=table_of(given.items).max_tokens,
        max_batch_size=at_once(given, OWN_LIMIT),
        api_base=given.base_url,
        api_key="none",
        timeout=SECONDS,
        max_retries=0,  # a failure is to be seen
    )
    lotus.settings.configure(lm=model, enable_cache=False)
    lotus.logger.setLevel(logging.ERROR)  # it tells of every answer that has max_tokens

    def ask(items: tuple[Item, ...]) -> Answers:
        table = table_of(items)
        rows = pandas.DataFrame({"prompt": table.prompts})
        return table.answers(rows.sem_map("{prompt}", suffix="answer")["answer"].tolist())

    return ask


if __name__ == "__main__":
    main("lotus", version("lotus-ai"), prepare)
