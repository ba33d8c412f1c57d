"""Which environment variables are written down: an allow-list, because variables hold passwords and tokens, too.

Prefixes are not enough: TF_TOKEN_... and TF_VAR_... are Terraform's secrets, not TensorFlow's settings.
"""

import os

# The variables that change a run's speed or its numbers, and whose values are settings.
ALLOWED = frozenset(
    {
        "CUDA_VISIBLE_DEVICES",
        "KMP_AFFINITY",
        "KMP_BLOCKTIME",
        "NCCL_ALGO",
        "NCCL_P2P_DISABLE",
        "NCCL_PROTO",
        "NVIDIA_TF32_OVERRIDE",
        "OMP_NUM_THREADS",
        "TF_CPP_MIN_LOG_LEVEL",
        "TF_CUDNN_USE_AUTOTUNE",
        "TF_DETERMINISTIC_OPS",
        "TF_ENABLE_ONEDNN_OPTS",
        "TF_FORCE_GPU_ALLOW_GROWTH",
        "TF_GPU_ALLOCATOR",
        "TF_GPU_THREAD_COUNT",
        "TF_GPU_THREAD_MODE",
        "TF_NUM_INTEROP_THREADS",
        "TF_NUM_INTRAOP_THREADS",
        "TF_ONEDNN_USE_SYSTEM_ALLOCATOR",
    }
)


def allowed(variables=os.environ):
    """{name: value} of the variables that may be written to a file or a page."""
    return {name: value for name, value in sorted(variables.items()) if name in ALLOWED}
