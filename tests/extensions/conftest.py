"""The server that other rooms test with too."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "engines"))  # stub_server.py
