"""Mutants that a tool makes: cosmic-ray changes operators, numbers, conditions and loops in files of the core.

    python -m tests.mutants.by_tool                      every file of CORE, so many changes of each
    python -m tests.mutants.by_tool training/schedule.py --count 40

Each change is made alone, in a copy of the project, and only the tests of its file run. A change that no test finds is
printed as a diff. Those that were looked at stand in survivors.md, with the reason.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from cosmic_ray.work_db import use_db
from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkResult

from tests.mutants.mutants import copy_project

# Files of the core, and the quick tests that are to find a mistake in them.
CORE = {
    "tf_outfit_gan/losses.py": "tests/unit/tf_outfit_gan/test_losses.py tests/golden/test_golden.py -k 'loss or r1'",
    "tf_outfit_gan/styles.py": "tests/unit/tf_outfit_gan/test_styles.py tests/unit/tf_outfit_gan/test_snapshot.py",
    "tf_outfit_gan/ops.py": "tests/unit/tf_outfit_gan/test_ops.py",
    "tf_outfit_gan/pose/convert.py": "tests/unit/tf_outfit_gan/pose",
    "tf_outfit_gan/pose/frames.py": "tests/unit/tf_outfit_gan/networks/test_condition_maps.py",
    "tf_outfit_gan/pose/heatmaps.py": "tests/unit/tf_outfit_gan/pose",
    "tf_outfit_gan/pose/pck.py": "tests/unit/tf_outfit_gan/pose",
    "tf_outfit_gan/data/shuffle.py": "tests/unit/tf_outfit_gan/data/test_shuffle.py",
    "training/schedule.py": "tests/unit/training/test_schedule.py",
    "training/mismatch.py": "tests/unit/training/test_mismatch.py",
    "training/augment.py": "tests/unit/training/test_augment.py",
    "training/retention.py": "tests/unit/training/test_retention.py",
    "export/limits.py": "tests/integration/test_export.py",
    "serving/server/json_codec.py": "tests/integration/test_serve_rest.py",
}
TIMEOUT_SEC = 300


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="*", metavar="FILE", help="of CORE (default: all)")
    parser.add_argument("--count", type=int, default=12, help="changes of a file (default: %(default)s)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        copy_project(Path(folder))
        for file in args.files or CORE:
            _report(file, _mutate(Path(folder), file, args.count))


def _mutate(folder, file, count):
    """Makes some changes of a file and runs its tests on each; returns the results."""
    command = f"{sys.executable} -m pytest -x -q -p no:cacheprovider {CORE[file]}"
    quoted = {"module-path": file, "timeout": TIMEOUT_SEC, "excluded-modules": [], "test-command": command}
    lines = [f"{key} = {json.dumps(value)}" for key, value in quoted.items()]
    config, session = folder / "cosmic-ray.toml", folder / "session.sqlite"
    config.write_text("\n".join(["[cosmic-ray]", *lines, "[cosmic-ray.distributor]", 'name = "local"', ""]))
    session.unlink(missing_ok=True)
    _cosmic_ray(folder, "baseline", config)  # The tests have to pass before anything is changed.
    _cosmic_ray(folder, "init", config, session)
    with use_db(session) as db:
        # The same choice every time: by what is changed, as the jobs' names are random.
        places = {item.job_id: str(item.mutations) for item in db.work_items}
        jobs = sorted(places, key=places.__getitem__)
        chosen = set(random.Random(0).sample(jobs, min(count, len(jobs))))
        db.set_multiple_results([job for job in jobs if job not in chosen], WorkResult(WorkerOutcome.SKIPPED))
    _cosmic_ray(folder, "exec", config, session)
    with use_db(session) as db:
        return [result for item, result in db.completed_work_items if item.job_id in chosen]


def _cosmic_ray(folder, verb, *paths):
    # The copy's modules come before the installed ones, in the processes that tests start, too.
    env = os.environ | {"PYTHONPATH": str(folder)}
    subprocess.run([sys.executable, "-m", "cosmic_ray.cli", verb, *map(str, paths)], cwd=folder, env=env, check=True)


def _report(file, results):
    found = sum(result.test_outcome is not TestOutcome.SURVIVED for result in results)
    print(f"{file}: {found} of {len(results)} found", flush=True)
    for result in results:
        if result.test_outcome is TestOutcome.SURVIVED:
            print(result.diff, flush=True)


if __name__ == "__main__":
    main()
