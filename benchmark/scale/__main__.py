"""`python -m scale WORKFLOW CALLS POLICY`: one run in this process, as `point.measured` starts it.

Prints the row as JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from scale.point import run
from scale.workflows import WORKFLOWS


def main() -> None:
    workflow, calls, policy = sys.argv[1:]
    run(workflow, 10 * WORKFLOWS[workflow].calls, policy)  # the first statement loads modules
    print(json.dumps(asdict(run(workflow, int(calls), policy))))


if __name__ == "__main__":
    main()
