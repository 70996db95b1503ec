"""The order `query_wise` of systems/own.py, over aiohttp."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))

from systems import own

if __name__ == "__main__":
    own.run("query_wise", own.query_wise)
