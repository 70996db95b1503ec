#!/usr/bin/env bash
# Measures what RESULTS.md shows of other systems, on a server: an hour and a half on two cores, on
# which nothing else may run. Suites that a folder has already are left out. HELIUMQL: the command.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:-benchmark/results}
heliumql=${HELIUMQL:-.venv/bin/heliumql}

# Rows with which a system takes five to twelve seconds.
all="mixed:16 map_reduce_questions:8 map_reduce:3 debate:3 reflection:5 iterative:20 parallel:2
  trading:2 debate_questions:15 tables:16"

measure() { # what, suites with rows, then the options
  local what=$1 suites=$2 one
  shift 2
  for one in $suites; do
    compgen -G "$folder/$what/${one%:*}-server-*.parquet" >/dev/null && continue
    "$heliumql" bench "${one%:*}" --rows "${one#*:}" --engine server --output "$folder/$what" "$@"
  done
}

measure systems "$all" --repeat 5 --systems heliumql,raw,op_wise,langgraph,agentscope
measure of_tables "tables:16" --repeat 5 --systems \
  heliumql,daft,lotus,lotus:default,docetl,docetl:default,blendsql,blendsql:default
measure unmerged "map_reduce_questions:8 trading:2 tables:16" --repeat 5 \
  --systems heliumql:unmerged,raw,op_wise,langgraph
measure limits "$all" --repeat 1 --systems heliumql,query_wise,oracle,one_row
