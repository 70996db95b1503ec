"""DocETL: a map over a list of documents, in prompts of its own."""

import os
import sys
import tempfile
from importlib.metadata import distribution, version
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))
os.environ["DOCETL_HOME_DIR"] = tempfile.mkdtemp()  # of its cache, which else outlives a run
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it is fetched
os.environ["TIKTOKEN_CACHE_DIR"] = str(  # likewise
    distribution("litellm").locate_file("litellm/litellm_core_utils/tokenizers")
)

import docetl
import litellm
from systems.common import SECONDS, Answers, Ask, Given, Item, main
from systems.table import at_once, table_of

PLAIN = "sagemaker"  # in the name of a model: its answers are texts, no arguments of a tool
OWN_LIMIT = 4 * (os.cpu_count() or 1)


def prepare(given: Given) -> Ask:
    max_tokens = table_of(given.items).max_tokens
    litellm.suppress_debug_info = True
    litellm.model_alias_map = {PLAIN: f"openai/{given.model}"}
    docetl.default_model = PLAIN
    docetl.bypass_cache = True
    options = {
        "temperature": 0,
        "max_tokens": max_tokens,
        "api_base": given.base_url,
        "api_key": "none",
        "timeout": SECONDS,
        "max_retries": 0,  # a failure is to be seen
    }
    threads = at_once(given, OWN_LIMIT)

    def ask(items: tuple[Item, ...]) -> Answers:
        table = table_of(items)
        rows = [{"number": number, "prompt": text} for number, text in enumerate(table.prompts)]
        asked = docetl.from_list(rows).map(
            prompt="{{ input.prompt }}",
            output={"schema": {"answer": "string"}},
            timeout=SECONDS,
            max_retries_per_timeout=0,
            litellm_completion_kwargs=dict(options),
        )
        found = asked.collect(max_threads=threads)
        answers = {row["number"]: row["answer"] for row in found}
        return table.answers([answers[number] for number in range(len(rows))])

    return ask


if __name__ == "__main__":
    main("docetl", version("docetl"), prepare)
