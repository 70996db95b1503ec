"""BlendSQL: an SQL query that maps a model over a column, in prompts of its own."""

import sys
from importlib.metadata import version
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))

import pandas
from blendsql import BlendSQL, config
from blendsql.configure import DEFAULT_ASYNC_LIMIT
from blendsql.models import VLLM
from openai import AsyncOpenAI
from systems.common import SECONDS, Answers, Ask, Given, Item, main
from systems.table import at_once, table_of

QUERY = "SELECT *, {{LLMMap('{}', prompt, return_type='str')}} AS answer FROM requests"


def prepare(given: Given) -> Ask:
    table = table_of(given.items)
    config.set_async_limit(at_once(given, DEFAULT_ASYNC_LIMIT))
    config.set_default_max_tokens(table.max_tokens)
    model = VLLM(given.model, base_url=given.base_url, extra_body={"temperature": 0}, caching=False)
    model.client = AsyncOpenAI(  # a failure is to be seen
        base_url=given.base_url, api_key="none", max_retries=0, timeout=SECONDS
    )
    rows = pandas.DataFrame({"number": range(len(table.prompts)), "prompt": table.prompts})
    session = BlendSQL({"requests": rows}, model=model)

    def ask(_: tuple[Item, ...]) -> Answers:
        found = session.execute(QUERY).df()
        answers = dict(zip(found["number"], found["answer"], strict=True))
        return table.answers([answers[number] for number in range(len(rows))])

    return ask


if __name__ == "__main__":
    # Its client cannot be used in a second event loop.
    main("blendsql", version("blendsql"), prepare, warms=False)
