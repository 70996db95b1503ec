#!/usr/bin/env bash
# Measures what RESULTS.md shows of other systems, on a server: three hours on two cores, on which
# nothing else may run. What the folder has already is left out. HELIUMQL: the command.
#   benchmark/results.sh FOLDER [systems] [of_tables] [query_wise] [wide]
set -uo pipefail
[ $# -ge 1 ] || { echo "usage: $0 FOLDER [systems] [of_tables] [query_wise] [wide]" >&2; exit 2; }
folder=$(realpath -m "$1")
shift
parts=${*:-systems of_tables query_wise wide}
cd "$(dirname "$0")/.."
for part in $parts; do
  [[ " systems of_tables query_wise wide " = *" $part "* ]] || { echo "no part $part" >&2; exit 2; }
done
heliumql=${HELIUMQL:-.venv/bin/heliumql}
failed=()

# Rows with which a system takes five to ten seconds.
equal_calls="map_reduce_questions:4 trading:2 tables:16"
others="mixed:16 map_reduce:2 debate:4 reflection:8 iterative:16 parallel:2 debate_questions:16"
# With a batch four times as large: ten to twenty seconds.
many="mixed:32 map_reduce:4 debate:8 reflection:16 iterative:32 parallel:4 debate_questions:32
  map_reduce_questions:16 trading:6 tables:32"

measure() { # suites with rows, then the options
  local suites=$1 one suite
  shift
  mkdir -p "$folder/$part"
  for one in $suites; do
    suite=${one%:*}
    [ -e "$folder/$part/.done-$suite" ] && continue
    rm -f "$folder/$part/$suite"-server-*
    if "$heliumql" bench "$suite" --rows "${one#*:}" --engine server --output "$folder/$part" "$@"
    then touch "$folder/$part/.done-$suite"
    else failed+=("$part/$suite")
    fi
  done
}

limits=oracle,one_row
systems=raw,op_wise,langgraph,agentscope
for part in $parts; do
  case $part in
    systems)
      measure "$others" --repeat 5 --systems heliumql,$systems,$limits
      measure "$equal_calls" --repeat 5 --systems heliumql,heliumql:unmerged,$systems,$limits ;;
    of_tables)
      measure "tables:16" --repeat 5 --systems \
        heliumql,daft,lotus,lotus:default,docetl,docetl:default,blendsql,blendsql:default ;;
    query_wise)
      measure "$equal_calls $others" --repeat 1 --systems heliumql,query_wise ;;
    wide)
      measure "$many" --slots 32 --repeat 5 --systems heliumql,$systems ;;
  esac
  "$heliumql" bench report "$folder/$part" >"$folder/$part.md"
done
[ ${#failed[@]} = 0 ] || { echo "not done: ${failed[*]}" >&2; exit 1; }
