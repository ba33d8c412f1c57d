"""The verb `outfit-gan train-pose`: trains a pose estimator on prepared data. The same command resumes it."""

from dataclasses import dataclass
from pathlib import Path

from tf_outfit_gan.cli import arguments
from tf_outfit_gan.data.records import open_dataset
from tf_outfit_gan.util.errors import UserError
from training.run_folder import explain_full_disk, locked
from training.run_options import ACCEPT_DATA_HELP

EXAMPLE = "runs/pose data --backbone small --time-limit 20"


@dataclass(frozen=True)
class PoseConfig:
    """What decides about an estimator's training."""

    backbone: str
    size: tuple  # (height, width) of its pictures, a level of the data.
    steps: int
    batch: int
    learning_rate: float  # The highest: it rises for a twentieth of the steps and falls to zero by a cosine.
    seed: int


# backbone: (size, steps, learning rate), unless said otherwise. `small` was tuned on paper dolls, see docs/pose.md; for
# the others stand the paper's size and rate, and its 140 epochs of MPII in batches of 32 would be 97,000 steps.
DEFAULTS = {
    "small": ((64, 48), 1200, 0.004),
    "resnet50": ((256, 192), 50_000, 0.001),
    "resnet101": ((256, 192), 50_000, 0.001),
    "resnet152": ((256, 192), 50_000, 0.001),
}


def add_arguments(parser):
    parser.add_argument("folder", metavar="RUN", help="the run's folder: checkpoints, log, estimator")
    parser.add_argument("data", metavar="DATA", help="a data set from 'outfit-gan prepare', with keypoints")
    main = parser.add_argument_group("main")
    main.add_argument(
        "--backbone", choices=DEFAULTS, default="resnet50", help="small trains without a GPU (default: %(default)s)"
    )
    main.add_argument(
        "--size", type=arguments.size, metavar="HEIGHTxWIDTH", help="a level of the data (default: 256x192; small: 64x48)"
    )
    main.add_argument("--weights", metavar="FILE", help="the backbone's initial weights, from keras.applications, without top")
    main.add_argument("--accept-data", action="store_true", help=ACCEPT_DATA_HELP)
    hyper = parser.add_argument_group("hyperparameters")
    hyper.add_argument("--steps", type=arguments.positive, help="of training (default: 50000; small: 1200)")
    hyper.add_argument("--batch", type=arguments.positive, default=32, help="pictures a step (default: %(default)s)")
    hyper.add_argument(
        "--learning-rate", type=arguments.above_zero, metavar="RATE", help="the highest (default: 0.001; small: 0.004)"
    )
    hyper.add_argument("--seed", type=arguments.seed, default=0, help="of the weights and the order of pictures (default: 0)")
    main.add_argument(
        "--time-limit", type=arguments.above_zero, metavar="MINUTES", help="stop after this long, with an estimator"
    )
    output = parser.add_argument_group("output")
    output.add_argument("--quiet", action="store_true", help="nothing on the terminal; log.txt has it all")


def run(args):
    default_size, steps, learning_rate = DEFAULTS[args.backbone]
    config = PoseConfig(
        args.backbone,
        args.size or default_size,
        args.steps or steps,
        args.batch,
        args.learning_rate or learning_rate,
        args.seed,
    )

    # A mistake in the data is reported before TensorFlow's import, which takes seconds.
    dataset = open_dataset(args.data)
    if not sum(shard["with_keypoints"] for shard in dataset.splits["train"]):
        raise UserError(
            f"{args.data}: expected train entries with keypoints to learn from, found none; prepare a catalogue that has them"
        )
    dataset.files("train", "photos", config.size)
    folder = Path(args.folder)
    with locked(folder), explain_full_disk(folder):
        from training.pose_estimator.trainer import train_pose

        time_limit_sec = args.time_limit and args.time_limit * 60
        train_pose(folder, dataset, config, args.weights, time_limit_sec, args.quiet, args.accept_data)
