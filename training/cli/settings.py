"""The options that choose the settings of a model and of its training: --preset or --config, and --set."""

from pathlib import Path

from tf_outfit_gan.config import FIELDS, PRESETS, with_overrides
from tf_outfit_gan.config_file import read_settings


def add_settings(group, preset):
    """Adds the options to a group of a parser; `preset` is the default."""
    source = group.add_mutually_exclusive_group()
    source.add_argument(
        "--preset", choices=PRESETS, default=preset, metavar="NAME", help=f"one of {', '.join(PRESETS)} (default: %(default)s)"
    )
    source.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="settings in JSON or YAML, as 'train --dry-run --json' writes them, or the config.json of a run",
    )
    one = group.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change a setting; may be given again"
    )
    one.completer = lambda **_: [f"{name}=" for name in FIELDS]  # Of argcomplete.


def settings_of(args):
    """Returns (ModelConfig, TrainingConfig, names of the settings that a file or --set chose). Raises `UserError`."""
    preset, model, training = read_settings(args.config) if args.config else (args.preset, {}, {})
    of_preset = PRESETS[preset] if preset else ({}, {})
    configs = with_overrides(of_preset[0] | model, of_preset[1] | training, args.set)
    return *configs, {*model, *training, *(override.partition("=")[0] for override in args.set)}
