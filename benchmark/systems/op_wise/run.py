"""The order `op_wise` of systems/own.py, over aiohttp."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))

from systems import own

if __name__ == "__main__":
    own.run("op_wise", own.op_wise)
