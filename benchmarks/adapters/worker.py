"""One project in a process of its own: builds its training steps, and runs one on request.

    python worker.py ADAPTER CHECKOUT SETTING

Reads lines, "build PRECISION VARIANT" or "step NUMBER" of those built, and answers each with a line of JSON;
`benchmarks/peers.py` is at the other end. An adapter is a module with `build(checkout, widths, batch, precision,
variant)`, which returns a function that runs one training step to its end, and `version()`, which names what it runs on.
"""

import importlib
import json
import os
import sys
import time

# Feature maps of the levels from 4 to 64 pixels, and pictures in a batch.
SETTINGS = {
    "wide": ((512, 512, 512, 512, 256), 8),
    "narrow": ((128, 128, 128, 128, 64), 16),
    "trial": ((16, 16, 16, 16, 8), 4),  # Measures nothing; shows in a minute whether everything runs.
}


def main(name, checkout, setting):
    # What the projects print must not get between the answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    widths, batch = SETTINGS[setting]
    adapter = importlib.import_module(name)
    steps = []
    for line in sys.stdin:
        command, *arguments = line.split()
        if command == "build":
            steps.append(adapter.build(checkout, widths, batch, *arguments))
            answer = {"batch": batch, "version": adapter.version()}
        else:
            step = steps[int(arguments[0])]
            started = time.perf_counter()
            # A step may be a mean over an interval, which it then measures itself.
            seconds = step()
            answer = {"seconds": time.perf_counter() - started if seconds is None else seconds}
        print(json.dumps(answer), file=answers)


if __name__ == "__main__":
    main(*sys.argv[1:])
