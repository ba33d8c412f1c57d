"""`outfit-gan demo`: the whole pipeline on this machine, from a drawn catalogue to served pictures and a contact sheet.

Every step is the verb that a user would type, run as a program of its own and shown before it runs. A step that is
done is not done again.
"""

import json
import re
import subprocess
import time
from pathlib import Path

from tf_outfit_gan.cli import arguments
from tf_outfit_gan.util.command import OUTFIT_GAN

EXAMPLE = "demo --minutes 6"
ENTRIES, SIZE = 5000, "32x24"
SHOWN_SIZE = "256x192"  # The same entries, drawn larger: the articles that are sent, and what a person looks at.
SHOWN_ENTRIES = 100
SEEDS = "1,2,3"


def add_arguments(parser):
    parser.add_argument(
        "folder", metavar="OUT", nargs="?", type=Path, default=Path("demo"), help="where everything goes (default: %(default)s)"
    )
    main = parser.add_argument_group("main")
    main.add_argument("--minutes", type=arguments.above_zero, default=6, help="of training (default: %(default)s)")


def run(args):
    _Demo(args.folder, args.minutes).run()


class _Demo:
    def __init__(self, folder, minutes):
        self.folder, self.minutes, self.started = folder, minutes, time.monotonic()
        (folder / "pictures").mkdir(parents=True, exist_ok=True)

    def run(self):
        from tf_outfit_gan.viz.demo_sheet import draw_sheet

        at = self.folder
        self.step("draw a catalogue of paper dolls", "paperdoll", at / "catalogue", "--count", ENTRIES, "--size", SIZE)
        self.step("draw some of them larger", "paperdoll", at / "shown", "--count", SHOWN_ENTRIES, "--size", SHOWN_SIZE)
        self.step("convert the catalogue to records", "prepare", at / "catalogue", at / "data", "--size", SIZE)
        self.step(
            f"train for {self.minutes:g} minutes",
            "train",
            at / "run",
            "--data",
            at / "data",
            "--preset",
            "demo",
            "--time-limit",
            self.minutes,
            once=True,
        )
        self.step("export the model", "export", at / "run", at / "models" / "outfit_gan", once=True)

        # Outfits and poses that the model never saw: entries of the test split.
        entries = self.unseen_entries()
        outfits = [self.write_outfit(entry) for entry in entries]
        with _Server(self) as address:
            for entry, outfit in zip(entries[:4], outfits):
                self.step(
                    f"ask the server for outfit {entry['id']}",
                    "request",
                    address,
                    "--outfit",
                    outfit,
                    "--seed",
                    SEEDS,
                    "--out",
                    at / "pictures" / f"served_{entry['id']}.png",
                )

        # One outfit in four poses, and again with a jacket that another model wears.
        jacket = next(at / "shown" / e["articles"]["outerwear"] for e in entries if "outerwear" in e["articles"])
        plain = next(i for i, entry in enumerate(entries) if "outerwear" not in entry["articles"])
        poses = [argument for outfit in outfits[:4] for argument in ("--pose", outfit)]
        for name, change in (("poses", []), ("jacket", ["--add", f"outerwear={jacket}"])):
            self.step(
                "render one outfit in four poses" + (", with a jacket" if change else ""),
                "render",
                at / "run",
                "--outfit",
                outfits[plain],
                *poses,
                *change,
                "--out",
                at / "pictures" / f"{name}.png",
            )
        for what in ("color", "pose"):
            self.step(
                f"transfer the {what} of one picture to another",
                "transfer",
                at / "run",
                "--source",
                outfits[0],
                "--target",
                outfits[1],
                "--what",
                what,
                "--out",
                at / "pictures" / f"transfer_{what}.png",
            )

        sheet = at / "sheet.png"
        draw_sheet(sheet, at, entries, plain, jacket)
        print(f"\ndone in {self.elapsed()}. Look at {sheet}")
        for name, what in (
            ("run", "checkpoints, snapshots, grids of pictures, log.txt"),
            ("models", "the SavedModel"),
            ("pictures", "every picture of the sheet"),
            ("outfits", "outfits to ask for"),
        ):
            print(f"  {self.folder / name}: {what}")

    def step(self, title, verb, *arguments, once=False):
        """Runs one verb. `once`: a marker remembers that it ended well, for verbs that would start again."""
        marker = self.folder / f".{verb}-done"
        words = [verb, *map(str, arguments)]
        print(f"\n[{self.elapsed()}] {title}\n  outfit-gan {' '.join(words)}", flush=True)
        if once and marker.exists():
            print("  done before")
            return
        done = subprocess.run([*OUTFIT_GAN, *words], check=False)
        if done.returncode:
            raise StepFailed(f"'outfit-gan {verb}' ended with exit code {done.returncode}; its message is above", done.returncode)
        if once:
            marker.touch()

    def elapsed(self):
        minutes, seconds = divmod(round(time.monotonic() - self.started), 60)
        return f"{minutes}:{seconds:02d}"

    def unseen_entries(self):
        """Entries of the test split as the larger catalogue has them."""
        lines = (self.folder / "shown" / "manifest.jsonl").read_text().splitlines()
        return [entry for entry in map(json.loads, lines) if entry["split"] == "test"]

    def write_outfit(self, entry):
        """An outfit file: an entry without its photo."""
        path = self.folder / "outfits" / f"{entry['id']}.json"
        path.parent.mkdir(exist_ok=True)
        articles = {slot: f"../shown/{file}" for slot, file in entry["articles"].items()}
        path.write_text(json.dumps({"articles": articles, "keypoints": entry["keypoints"]}, indent=1))
        return path


class _Server:
    """`outfit-gan serve` on free ports, for as long as the block lasts; the block gets HOST:PORT."""

    def __init__(self, demo):
        self._demo = demo

    def __enter__(self):
        words = ["serve", str(self._demo.folder / "models" / "outfit_gan"), "--port", "0", "--rest_api_port", "0"]
        print(f"\n[{self._demo.elapsed()}] serve the model\n  outfit-gan {' '.join(words)}", flush=True)
        self._process = subprocess.Popen([*OUTFIT_GAN, *words], stdout=subprocess.PIPE, text=True)
        line = self._process.stdout.readline()
        print(f"  {line.strip()}", flush=True)
        found = re.search(r"REST http://([^/]+)/", line)
        if not found:
            raise StepFailed("'outfit-gan serve' did not start; its message is above", self._process.wait())
        return found[1]

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()
        self._process.stdout.close()
        print(f"\n[{self._demo.elapsed()}] stopped the server", flush=True)


class StepFailed(RuntimeError):
    """A verb of the demo failed; ends with the same exit code."""

    def __init__(self, message, exit_code):
        super().__init__(message)
        self.exit_code = exit_code or 1
