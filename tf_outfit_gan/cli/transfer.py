"""`outfit-gan transfer`: the color or the pose of one picture on another (arXiv 1908.08847, section 4.1 and figure 4).

The style vectors of some layers are taken from the source, the rest from the target. Where conditions also enter as maps,
the maps' pose comes from the side that owns the first layer, and their articles from the side that owns the last. By
default the layers are those that `outfit-gan evaluate --metrics transfer` found best for the snapshot, or else the paper's
shares: the last third for the color, the first sixth for the pose (13-18 and 1-3 of the paper's 18).
"""

from tf_outfit_gan import outfit_request
from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.cli import arguments
from tf_outfit_gan.outfit_request import MAX_PSI, OUTFIT_HELP, PSI_HELP
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.viz.montage import montage, picture, save_whole

EXAMPLE = "runs/dolls --source data:000007 --target outfit.json --what color --out transfer.png"
REMOTE = ("snapshot",)


def add_arguments(parser):
    parser.add_argument(
        "snapshot",
        metavar="SNAPSHOT",
        nargs="?",
        default=snapshots.SHIPPED,
        help="snapshot folder, or a run folder (its newest snapshot); without it the shipped model",
    )
    main = parser.add_argument_group("main")
    main.add_argument(
        "--source",
        required=True,
        metavar="OUTFIT",
        help=f"where the color or pose comes from: {OUTFIT_HELP}; for an unconditional model seeds",
    )
    main.add_argument("--target", required=True, metavar="OUTFIT", help="what it goes to, given alike")
    main.add_argument(
        "--what",
        required=True,
        type=lambda what: "color" if what == "colour" else what,
        choices=("color", "pose"),
        help="what to transfer",
    )
    main.add_argument(
        "--layers",
        type=arguments.layers,
        metavar="13-18",
        help="layers to copy, from 1, the last included (default: what evaluate found, or the paper's)",
    )
    sampling = parser.add_argument_group("sampling")
    sampling.add_argument(
        "--seed", type=arguments.seeds, metavar="1,2,3", help="a row each (default: 1); for a conditional model only"
    )
    sampling.add_argument("--psi", type=arguments.number(0, MAX_PSI), help=PSI_HELP)
    output = parser.add_argument_group("output")
    output.add_argument(
        "--out",
        type=arguments.output_file(".png"),
        required=True,
        metavar="picture.png",
        help="the sheet to write: source, target, result",
    )


def run(args):
    # Read and check: mistakes are reported before the model is loaded.
    snapshot = snapshots.read(args.snapshot)
    psi = outfit_request.check_psi(args.psi, snapshot.config.conditional)
    source, target, seed_pairs = _requests(args, snapshot.config)
    layers = _layers(args, snapshot.num_layers)

    # Draw.
    from tf_outfit_gan.inference import Renderer

    renderer, rows = Renderer(snapshots.load(args.snapshot)), []
    for source_seed, target_seed in seed_pairs:
        rows.append(
            [
                (picture(renderer.picture(source, source_seed, psi)), f"source, seed {source_seed}"),
                (picture(renderer.picture(target, target_seed, psi)), f"target, seed {target_seed}"),
                (
                    picture(renderer.transfer(source, target, source_seed, target_seed, psi, layers)),
                    f"{args.what}, layers {layers[0] + 1}-{layers[1]}",
                ),
            ]
        )

    # Write.
    save_whole(montage(rows), args.out)
    print(args.out)


def _layers(args, num_layers):
    """The layers to copy, 0-based and half-open."""
    if args.layers is None:
        from tf_outfit_gan.styles import transfer_layers

        return transfer_layers(args.what, num_layers, snapshots.transfer_split(args.snapshot))
    begin, end = args.layers
    if end > num_layers:
        raise UserError(f"--layers {begin + 1}-{end}: expected layers within 1-{num_layers}, with which {args.snapshot} draws")
    return begin, end


def _requests(args, config):
    """(source, target, pairs of their seeds), of which the first two are None for an unconditional model."""
    if config.conditional:
        source, target = (
            outfit_request.read_request(text, config.condition_size, slots=config.slots).checked()
            for text in (args.source, args.target)
        )
        return source, target, [(seed, seed) for seed in args.seed or [1]]
    if args.seed is not None:
        raise UserError(f"{args.snapshot} is an unconditional model: --source and --target are seeds; leave out --seed")
    sources, targets = arguments.parse_seeds(args.source), arguments.parse_seeds(args.target)
    if len(sources) != len(targets):
        raise UserError(f"--source has {len(sources)} seeds and --target {len(targets)}: expected one for one")
    return None, None, list(zip(sources, targets))
