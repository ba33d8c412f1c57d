"""Times pictures of a snapshot: as files of a folder, in batches alone, and one by one, in alternation.

    python benchmarks/render.py RUN DATA --count 640

A folder is what `outfit-gan render --out-dir` writes: pictures are drawn, encoded, written and indexed. Rates are per second of
processor time, of all threads together, so that other work on the machine disturbs little, and by the clock.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.data.records import open_dataset


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("snapshot", metavar="SNAPSHOT", help="snapshot folder, or a run folder (its newest snapshot)")
    parser.add_argument("data", metavar="DATA", help="prepared data, whose test entries give outfits and poses")
    parser.add_argument("--count", type=int, default=640, help="pictures of a round (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="rounds (default: %(default)s)")
    args = parser.parse_args()

    from tf_outfit_gan.inference import Renderer
    from tf_outfit_gan.paper_figures.outfits import read_outfits

    snapshot = snapshots.load(args.snapshot)
    outfits = read_outfits(open_dataset(args.data), "test", snapshot.config.condition_size, seed=0)
    requests = [outfits[number % len(outfits)] for number in range(args.count)]
    kinds = {"files of a folder": write_files, "batches alone": draw_batches, "one by one": draw_single}
    renderer, rates = Renderer(snapshot), {kind: [] for kind in kinds}
    for round_number in range(args.repeats + 1):
        for kind, work in kinds.items():
            clock, processor = time.monotonic(), time.process_time()
            count = work(renderer, requests)
            spent = time.process_time() - processor, time.monotonic() - clock
            if round_number:  # The first round builds graphs.
                rates[kind].append([count / seconds for seconds in spent])
    print("| | pictures per second of processor time | per second by the clock |\n|---|---|---|")
    for kind, found in rates.items():
        print(f"| {kind} | {' | '.join(f'{statistics.median(part):.0f}' for part in zip(*found))} |")


def write_files(renderer, requests):
    from PIL import Image

    from tf_outfit_gan.rendering.draw import draw
    from tf_outfit_gan.rendering.picture_folder import PictureFolder
    from tf_outfit_gan.rendering.plan import Picture

    pictures = (Picture(request.name, None, seed, request) for seed, request in enumerate(requests))
    with tempfile.TemporaryDirectory() as place:
        folder = PictureFolder(Path(place))
        for batch in draw(renderer, pictures, 1.0, faults=[]):
            folder.add([({"file": picture.file, "seed": picture.seed}, Image.fromarray(pixels)) for picture, pixels in batch])
        return len(list(Path(place).glob("*.png")))


def draw_batches(renderer, requests):
    size = renderer.batch_size
    for start in range(0, len(requests), size):
        renderer.pictures(requests[start : start + size], range(start, min(start + size, len(requests))), 1.0)
    return len(requests)


def draw_single(renderer, requests):
    few = requests[: len(requests) // 8]
    for seed, request in enumerate(few):
        renderer.picture(request, seed, 1.0)
    return len(few)


if __name__ == "__main__":
    main()
