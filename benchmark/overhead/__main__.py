"""`python -m overhead PART ARGUMENTS`: one measurement in this process, its row as JSON.

The command starts it for each. Where the time goes: `python -m cProfile -s cumtime -m overhead ..`
with benchmark/ on the path.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from overhead.calls import calls
from overhead.naming import naming
from overhead.planning import planning
from overhead.rows import Calls, Naming, Planning, Scheduling
from overhead.scheduling import scheduling, workflows


def measured(part: str, given: list[str]) -> Planning | Scheduling | Calls | Naming:
    match part, given:
        case "planning", [query, turn, texts]:
            return planning(query, int(turn), int(texts))
        case "scheduling", [number, count]:
            return scheduling(workflows(int(count))[int(number)])
        case "calls", [optimizer, count]:
            calls(min(1000, int(count)), optimizer=optimizer == "on")  # loads modules
            return calls(int(count), optimizer=optimizer == "on")
        case "naming", [count, window]:
            return naming(int(count), int(window))
    raise SystemExit(f"no measurement {part} {' '.join(given)}")


def main() -> None:
    print(json.dumps(asdict(measured(sys.argv[1], sys.argv[2:]))))


if __name__ == "__main__":
    main()
