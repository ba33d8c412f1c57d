"""`outfit-gan demo`: what the shipped model draws, and then the whole way to a model of one's own, on this machine.

Every step is the verb that a user would type, run as a program of its own and shown before it runs. A step that is
done is not done again.
"""

import re
import subprocess
import time
from pathlib import Path

from tf_outfit_gan.cli import arguments
from tf_outfit_gan.util.command import OUTFIT_GAN

EXAMPLE = "demo --minutes 6"
EXAMPLES = Path(__file__).parents[1] / "examples"
OUTFITS = ("office", "weekend", "evening", "summer")  # Of the examples, as the poses and the jacket.
POSES = ("standing", "walking", "arm_raised", "hands_on_hips")
PLAIN, JACKET = "studio", "outerwear_olive_bomber"
SOURCE, TARGET = "summer", "evening"
SEEDS = "1,2,3"
ENTRIES, SIZE = 3000, "128x96"  # The catalogue, as large as the shipped model is when it is fully grown.


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
        self.pictures = folder / "pictures"
        self.pictures.mkdir(parents=True, exist_ok=True)

    def run(self):
        print("FIRST, what the model draws that comes with the package; this takes a minute or two.")
        self.draw_examples()
        print(f"\n[{self.elapsed()}] LOOK AT {self.folder / 'sheet.png'}: outfits and poses that nobody photographed.")
        print(f"\nTHEN, the way to a model of your own; this takes {self.minutes + 1:g} to {self.minutes + 4:g} minutes.")
        self.make_a_model()
        print(f"\ndone in {self.elapsed()}.")
        for name, what in (
            ("sheet.png", "what the shipped model draws; pictures/ has every picture of it"),
            ("trained.png", f"the same outfits after {self.minutes:g} more minutes of training"),
            ("run", "the training: checkpoints, snapshots, grids of pictures, log.txt"),
            ("models", "the SavedModel: outfit-gan serve takes it, and TF Serving"),
        ):
            print(f"  {self.folder / name}: {what}")

    def draw_examples(self):
        """Draws outfits, poses, a jacket and transfers with the shipped model, and a sheet of them."""
        self.render(
            self.pictures / "outfits.png", "four outfits, three people each", self.outfits(), "--seed", SEEDS, "--show-conditions"
        )
        poses = [argument for pose in POSES for argument in ("--pose", EXAMPLES / "poses" / f"{pose}.json")]
        plain = ["--outfit", self.outfit(PLAIN), *poses]
        self.render(self.pictures / "poses.png", "one outfit in four poses", plain)
        jacket = EXAMPLES / "articles" / f"{JACKET}.png"
        self.render(self.pictures / "jacket.png", "the same with a jacket put on", [*plain, "--add", f"outerwear={jacket}"])
        for what in ("color", "pose"):
            self.step(
                f"give the {what} of one picture to another",
                *("transfer", "--source", self.outfit(SOURCE), "--target", self.outfit(TARGET)),
                *("--what", what, "--out", self.pictures / f"transfer_{what}.png"),
            )
        from tf_outfit_gan.viz.demo_sheet import draw_sheet

        draw_sheet(self.folder / "sheet.png", self.pictures, jacket)

    def make_a_model(self):
        """Trains on from the shipped model, on dolls of its own, and exports, serves and asks the result."""
        at = self.folder
        self.step("draw a catalogue of paper dolls", "paperdoll", at / "catalogue", "--count", ENTRIES, "--size", SIZE)
        self.step("convert it to records", "prepare", at / "catalogue", at / "data")
        self.step(
            f"train for {self.minutes:g} minutes, from the shipped model on",
            *("train", at / "run", "--data", at / "data", "--preset", "dolls", "--init", "shipped"),
            *("--time-limit", self.minutes),
            once=True,
        )
        self.render(at / "trained.png", "the outfits again", [at / "run", *self.outfits()], "--seed", SEEDS, "--show-conditions")
        self.step("export the model", "export", at / "run", at / "models" / "outfit_gan", once=True)
        with _Server(self) as address:
            self.step(
                "ask the server",
                *("request", address, "--outfit", self.outfit(PLAIN), "--seed", SEEDS),
                *("--out", self.pictures / "served.png"),
            )

    def render(self, out, title, what, *options):
        self.step(title, "render", *what, *options, "--out", out)

    def outfits(self):
        return [argument for name in OUTFITS for argument in ("--outfit", self.outfit(name))]

    @staticmethod
    def outfit(name):
        return EXAMPLES / "outfits" / f"{name}.json"

    def step(self, title, verb, *arguments, once=False):
        """Runs one verb. `once`: a marker remembers that it ended well, for verbs that would start again."""
        marker = self.folder / f".{verb}-done"
        words = [verb, *map(_as_typed, arguments)]
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


def _as_typed(argument):
    """A word of a command; paths below this folder as a user would type them."""
    if isinstance(argument, Path) and argument.is_relative_to(Path.cwd()):
        argument = argument.relative_to(Path.cwd())
    return str(argument)


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
