#!/usr/bin/env bash
# Runs the suites and the study next_day, two suites without one technique after the other, and two
# beside other systems on a server, on a machine with one GPU, one after the other, each within a
# limit of time: benchmark/gpu/run.sh FOLDER
#
# Run again, it skips what is done; what failed or ran out of time is run anew. Rows go to
# FOLDER/results, what was printed to FOLDER/logs, tables to FOLDER/report.md. Nothing is fetched.
# The exit status is 1 if a part is not done.
#
# Variables, with what is taken without them:
#   PYTHON     python3            that has HeliumQL's dependencies and vLLM
#   MODEL      FOLDER/qwen3-8b    made there if it is missing; with a SHAPE not-qwen3-8b
#   SHAPE      (Qwen3-8B's)       options of gpu/model.py, where it is made
#   ENGINE     vllm               simulated: all but the server in virtual time, without a GPU
#   ATTENTION  TRITON_ATTN        needs nothing but Triton; empty: vLLM's choice
#   EAGER      (empty)            1: nothing is compiled, so engines start sooner and run slower
#   DTYPE      bfloat16
#   SLOTS      64                 calls at once
#   KV         quarter, or tight  the KV cache, as --kv-tokens takes it; tight for trading, of which
#                                 a quarter is 100 GB
#   SCALE      1                  of all lengths
#   ROWS       (as below)         of every suite
#   REPEAT     3                  turns
#   SYSTEMS    heliumql,op_wise,random,oracle,one_row
#   SERVER     debate trading     suites on a server; SERVER='': none
#   SERVER_SYSTEMS  heliumql,raw,op_wise_chained,op_wise,oracle
#   ABLATION   debate trading     suites that are run without one technique after the other
#   SUITES     (all of them)      and next_day
#   LIMIT      1200               seconds for each part
set -u
folder=${1:?usage: benchmark/gpu/run.sh FOLDER}
mkdir -p "$folder/done" "$folder/logs" "$folder/results" || exit 1
folder=$(cd "$folder" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

PYTHON=${PYTHON:-python3} MODEL=${MODEL:-$folder/${SHAPE:+not-}qwen3-8b} SHAPE=${SHAPE:-} ENGINE=${ENGINE:-vllm}
ATTENTION=${ATTENTION-TRITON_ATTN} EAGER=${EAGER:-} DTYPE=${DTYPE:-bfloat16}
SLOTS=${SLOTS:-64} KV=${KV:-} SCALE=${SCALE:-1} ROWS=${ROWS:-} REPEAT=${REPEAT:-3}
SYSTEMS=${SYSTEMS:-heliumql,op_wise,random,oracle,one_row} LIMIT=${LIMIT:-1200}
SERVER=${SERVER-debate trading} ABLATION=${ABLATION-debate trading}
SERVER_SYSTEMS=${SERVER_SYSTEMS:-heliumql,raw,op_wise_chained,op_wise,oracle}
SUITES=${SUITES:-mixed tables map_reduce_questions map_reduce debate_questions debate reflection \
iterative parallel trading trading_next_day next_day}
export HF_HUB_OFFLINE=1 PYTHONUNBUFFERED=1 PYTHONPATH=$PWD${PYTHONPATH:+:$PYTHONPATH}
failed=()
needs='import aiohttp, duckdb, lark, prompt_toolkit, psutil, pyarrow, sqlglot'
[ "$ENGINE" = simulated ] || needs+=", torch, transformers; from importlib.util import find_spec
if not find_spec('vllm'): raise SystemExit('vLLM is not installed')"
"$PYTHON" -c "$needs" || exit 2

rows_of() { # so many that 64 calls at once are busy most of the time
    [ -z "$ROWS" ] || { echo "$ROWS"; return; }
    case $1 in
        mixed) echo 64 ;;
        tables) echo 64 ;;
        map_reduce_questions | debate_questions | iterative) echo 100 ;;
        map_reduce | debate) echo 20 ;;
        reflection) echo 32 ;;
        *) echo 16 ;;
    esac
}

kv_of() {
    case $1 in
        trading* | next_day) echo "${KV:-tight}" ;;
        *) echo "${KV:-quarter}" ;;
    esac
}

part() { # NAME COMMAND..: runs it unless it is done
    local name=$1 began=$SECONDS status
    shift
    if [ -e "$folder/done/$name" ]; then
        echo "$name: done before"
        return
    fi
    timeout --signal=INT --kill-after=60 "$LIMIT" "$@" >"$folder/logs/$name.log" 2>&1
    status=$?
    case $status in
        0)
            touch "$folder/done/$name"
            echo "$name: done in $((SECONDS - began)) s"
            ;;
        *)
            failed+=("$name")
            [ "$status" != 124 ] || echo "$name: no end within $LIMIT s"
            [ "$status" = 124 ] || echo "$name: exit status $status"
            tail -n 5 "$folder/logs/$name.log" | sed 's/^/  /'
            ;;
    esac
}

engine=(--engine "$ENGINE" --slots "$SLOTS" --scale "$SCALE" --repeat "$REPEAT")
model=(--model "$MODEL" --dtype "$DTYPE")
[ -z "$ATTENTION" ] || model+=(--attention "$ATTENTION")
[ -z "$EAGER" ] || model+=(--eager)
if [ "$ENGINE" = simulated ]; then
    model=()
    SERVER=
elif [ ! -e "$MODEL/config.json" ]; then
    # shellcheck disable=SC2086  # SHAPE is several options
    "$PYTHON" benchmark/gpu/model.py "$MODEL" $SHAPE || exit 1
fi
at="slots$SLOTS-scale$SCALE-$DTYPE"

for suite in $SUITES; do
    rows=$(rows_of "$suite") kv=$(kv_of "$suite")
    command=("$PYTHON" -m heliumql bench "$suite" "${engine[@]}" "${model[@]}" --rows "$rows")
    command+=(--kv-tokens "$kv" --output "$folder/results")
    [ "$suite" = next_day ] || command+=(--systems "$SYSTEMS")
    part "$suite-$ENGINE-rows$rows-kv$kv-$at" "${command[@]}"
done
for suite in $ABLATION; do
    rows=$(rows_of "$suite") kv=$(kv_of "$suite")
    part "$suite-ablation-$ENGINE-rows$rows-kv$kv-$at" "$PYTHON" -m heliumql bench ablation \
        "$suite" "${engine[@]}" "${model[@]}" --rows "$rows" --kv-tokens "$kv" \
        --output "$folder/results"
done
for suite in $SERVER; do
    rows=$(rows_of "$suite") kv=$(kv_of "$suite")
    [ "$kv" != free ] || kv=all # the server does not say what it takes
    part "$suite-server-rows$rows-kv$kv-$at" "$PYTHON" -m heliumql bench "$suite" "${engine[@]}" \
        --engine server "${model[@]}" --rows "$rows" --kv-tokens "$kv" \
        --systems "$SERVER_SYSTEMS" --output "$folder/results"
done

"$PYTHON" -m heliumql bench report "$folder/results" >"$folder/report.md.new" &&
    mv "$folder/report.md.new" "$folder/report.md" && echo "report: $folder/report.md"
if [ ${#failed[@]} -gt 0 ]; then
    echo "not done: ${failed[*]}" >&2
    exit 1
fi
