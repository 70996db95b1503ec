"""What the event model needs to know of a worker, from the figures of its hardware.

An 8B model (Qwen3-8B, bf16) on one H100 NVL with 94 GB, the machine of the Helium paper. Each
constant is derived from data sheets, none is fitted to a result.
"""

from __future__ import annotations

from heliumql.cost.event_model import Constants

_PARAMETERS = 8.2e9
_LAYERS, _HEADS, _KV_HEADS, _HEAD_SIZE = 36, 32, 8, 128
_BYTES = 2  # of a value in bf16

_MEMORY = 94e9  # bytes; vLLM takes 90 % of them by default
_UTILIZATION = 0.9
_WORKSPACE = 2e9  # activations, CUDA graphs

_BANDWIDTH = 3.9e12  # bytes a second, HBM3 of the NVL
_BANDWIDTH_REACHED = 0.75  # of it, by the kernels of decoding
_FLOPS = 835e12  # dense bf16 (the data sheet's 1671 are with sparsity)
_FLOPS_REACHED = 0.5  # of them, by prefill

_HOST_SECONDS_PER_STEP = 0.001  # scheduling, launch and sampling that the GPU waits for
_HOST_SECONDS_PER_SEQUENCE = 0.00002  # of a step: sampling, taking tokens apart, output
_HOST_SECONDS_PER_CALL = 0.0005  # request, tokens, block hashes

WEIGHTS = _PARAMETERS * _BYTES  # 16.4 GB
KV_BYTES = 2 * _LAYERS * _KV_HEADS * _HEAD_SIZE * _BYTES  # 144 KiB a token
KV_TOKENS = int((_MEMORY * _UTILIZATION - WEIGHTS - _WORKSPACE) / KV_BYTES)  # 449,000


def worker(
    kv_tokens: int = KV_TOKENS,
    bandwidth_reached: float = _BANDWIDTH_REACHED,
    flops_reached: float = _FLOPS_REACHED,
) -> Constants:
    """One GPU with vLLM's limits. Times are seconds.

    - a step reads the weights once: 16.4 GB at 2.9 TB/s, 5.6 ms, and 1 ms of the host
    - a token of prefill is two operations a parameter: 16.4 GFLOP at 418 TFLOP/s, 39 us
    - a token drawn reads the KV cache of all tokens before: 144 KiB each at 2.9 TB/s, 50 ns
    - a pair of tokens in attention is a product with the key and one with the value in every head
      of every layer, two operations a number: 0.6 MFLOP at 418 TFLOP/s, 1.4 ns
    """
    bandwidth = _BANDWIDTH * bandwidth_reached
    flops = _FLOPS * flops_reached
    pair = 4 * _LAYERS * _HEADS * _HEAD_SIZE / flops
    return Constants(
        block_size=16,
        kv_cache_tokens=kv_tokens,
        max_num_seqs=256,
        max_num_batched_tokens=8192,
        step_seconds=WEIGHTS / bandwidth + _HOST_SECONDS_PER_STEP,
        prefill_seconds_per_token=2 * _PARAMETERS / flops,
        decode_seconds_per_sequence=_HOST_SECONDS_PER_SEQUENCE,
        attention_seconds_per_pair=pair,
        kv_read_seconds_per_token=KV_BYTES / bandwidth - pair,
        call_seconds=_HOST_SECONDS_PER_CALL,
    )
