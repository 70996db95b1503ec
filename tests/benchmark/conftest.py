"""Where the tests of benchmarks find the server that stands in for a model."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "engines"))  # stub_server.py
