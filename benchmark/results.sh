#!/usr/bin/env bash
# Measures what RESULTS.md shows of other systems, on a server: an hour and a half on two cores, on
# which nothing else may run. What a folder has already is left out. HELIUMQL: the command.
#   benchmark/results.sh [FOLDER]        benchmark/results
set -uo pipefail
folder=$(realpath -m "${1:-$(dirname "$0")/results}")
cd "$(dirname "$0")/.."
heliumql=${HELIUMQL:-.venv/bin/heliumql}
failed=()

# Rows with which a system takes five to ten seconds.
all="mixed:16 map_reduce_questions:4 map_reduce:2 debate:4 reflection:8 iterative:16 parallel:2
  trading:2 debate_questions:16 tables:16"

measure() { # what, suites with rows, then the options
  local what=$1 suites=$2 one suite
  shift 2
  mkdir -p "$folder/$what"
  for one in $suites; do
    suite=${one%:*}
    [ -e "$folder/$what/.done-$suite" ] && continue
    rm -f "$folder/$what/$suite"-server-*
    if "$heliumql" bench "$suite" --rows "${one#*:}" --engine server --output "$folder/$what" "$@"
    then touch "$folder/$what/.done-$suite"
    else failed+=("$what/$suite")
    fi
  done
}

measure systems "$all" --repeat 5 --systems heliumql,raw,op_wise,langgraph,agentscope,oracle,one_row
measure of_tables "tables:16" --repeat 5 --systems \
  heliumql,daft,lotus,lotus:default,docetl,docetl:default,blendsql,blendsql:default
measure unmerged "map_reduce_questions:4 trading:2 tables:16" --repeat 5 --systems heliumql:unmerged,raw
measure query_wise "$all" --repeat 1 --systems heliumql,query_wise
for what in systems of_tables unmerged query_wise; do
  "$heliumql" bench report "$folder/$what" >"$folder/$what.md"
done
[ ${#failed[@]} = 0 ] || { echo "not done: ${failed[*]}" >&2; exit 1; }
