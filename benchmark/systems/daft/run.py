"""Daft: a data frame with a column of prompts and a column that prompts a model with them."""

import os
import sys
from importlib.metadata import version
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))
os.environ["DAFT_ANALYTICS_ENABLED"] = "0"
os.environ["DAFT_PROGRESS_BAR"] = "0"

import daft
from daft.ai.openai.provider import OpenAIProvider
from daft.functions import prompt
from systems.common import SECONDS, Ask, Given, main
from systems.table import table_of


def prepare(given: Given) -> Ask:
    if given.concurrency:
        raise ValueError("it asks all rows at once, without a limit that could be set")
    table = table_of(given.items)
    provider = OpenAIProvider(base_url=given.base_url, api_key="none", timeout=SECONDS)
    numbers = list(range(len(table.prompts)))
    rows = daft.from_pydict({"number": numbers, "prompt": list(table.prompts)})
    answer = prompt(
        daft.col("prompt"),
        provider=provider,
        model=given.model,
        use_chat_completions=True,
        max_retries=0,  # a failure is to be seen
        temperature=0,
        max_tokens=table.max_tokens,
    )
    asked = rows.select("number", answer.alias("answer")).sort("number")
    return lambda _: table.answers(asked.to_pydict()["answer"])


if __name__ == "__main__":
    # A second query of a process may lose answers.
    main("daft", version("daft"), prepare, warms=False)
