#!/usr/bin/env bash
# Measures what RESULTS.md shows of other systems, on a server: an hour and a half on two cores, on
# which nothing else may run. What the folder has already is left out. HELIUMQL: the command.
#   benchmark/results.sh FOLDER
set -uo pipefail
[ $# = 1 ] || { echo "usage: $0 FOLDER" >&2; exit 2; }
folder=$(realpath -m "$1")
cd "$(dirname "$0")/.."
heliumql=${HELIUMQL:-.venv/bin/heliumql}
failed=()

# Rows with which a system takes five to ten seconds.
equal_calls="map_reduce_questions:4 trading:2 tables:16"
others="mixed:16 map_reduce:2 debate:4 reflection:8 iterative:16 parallel:2 debate_questions:16"

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

limits=oracle,one_row
systems=raw,op_wise,langgraph,agentscope
measure systems "$others" --repeat 5 --systems heliumql,$systems,$limits
measure systems "$equal_calls" --repeat 5 --systems heliumql,heliumql:unmerged,$systems,$limits
measure of_tables "tables:16" --repeat 5 --systems \
  heliumql,daft,lotus,lotus:default,docetl,docetl:default,blendsql,blendsql:default
measure query_wise "$equal_calls $others" --repeat 1 --systems heliumql,query_wise
for what in systems of_tables query_wise; do
  "$heliumql" bench report "$folder/$what" >"$folder/$what.md"
done
[ ${#failed[@]} = 0 ] || { echo "not done: ${failed[*]}" >&2; exit 1; }
