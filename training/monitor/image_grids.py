"""Grids of pictures: the same seeds under the same conditions, again and again, to watch a model learn.

    RUN/reals.png, RUN/fakes_000400kimg.png
    RUN/timeline/000400kimg.png   a frame of each snapshot, some tens of kilobytes
    RUN/timeline.gif              the frames, or so many of them, evenly spread, as a viewer has patience for

As frames are kept, a resumed run continues its timeline, and the cost of a new frame does not grow with the run.
"""

import numpy as np
from PIL import Image, ImageOps

from tf_outfit_gan import pixels
from tf_outfit_gan.data.pipeline import batches
from tf_outfit_gan.inference import Sampler
from tf_outfit_gan.sizes import format_size
from tf_outfit_gan.viz.montage import GAP, MISSING, PAPER, montage, save_whole
from tf_outfit_gan.viz.skeleton import draw_skeleton

# A plain grid: photos, and what an unconditional model draws.
ROWS, COLUMNS = 3, 8
# A conditional model's sheet: a row an entry with what was asked for, the photo, and a picture a seed.
ENTRIES, SEEDS = 6, 3
# Cells are at least about so high, so that a person can see small pictures, and at most, so that files stay small.
LEAST_HEIGHT, MOST_HEIGHT = 256, 512
FRAME = 4  # Pixels between the articles of an outfit in one cell.
# Drawn in one call: as much memory as one picture of 1024x768 takes beside a training is enough.
PIXELS_PER_CALL = 1 << 20
# The timeline.
MOST_FRAMES = 60
FRAME_HEIGHT = 192  # Of a cell, at most.
FRAME_MS, LAST_FRAME_MS = 200, 3000
COLORS = 128


class ImageGrids:
    """Draws the grids of a run.

    Args:
        dataset: the prepared `Dataset`; the conditions are the first entries of its test split, if it has enough.
        config: the `ModelConfig`.
        seed: of the run.
    """

    def __init__(self, dataset, config, seed):
        split = "test" if dataset.count("test") >= ROWS * COLUMNS else "train"
        self._photo_caption = "photo" if split == "test" else "photo (trained on)"
        condition_size = config.condition_size if config.conditional else None
        batch = next(iter(batches(dataset, split, config.size, condition_size, ROWS * COLUMNS)))
        self._cell_size = _cell_size(config.size)
        self._photos = self._cells(batch["image"])
        entries = min(len(self._photos), ENTRIES if config.conditional else ROWS * COLUMNS)
        self._entries, self._articles, self._keypoints = entries, None, None
        if config.conditional:
            self._articles, self._keypoints = batch["articles"][:entries], batch["keypoints"][:entries].numpy()
        self._seeds = 1000 * seed + np.arange(SEEDS if config.conditional else entries, dtype=np.int64)

    def reals(self, path):
        """Writes photos of the data, first those whose conditions the fakes have."""
        _write_plain(path, self._photos)

    def fakes(self, folder, snapshot):
        """Writes fakes_NAME.png of a snapshot into the run's folder, adds a frame to its timeline; returns the path."""
        sampler = Sampler(snapshot)
        path = folder / f"fakes_{snapshot.name}.png"
        if self._articles is None:
            shown = self._draw(sampler, self._seeds)
            _write_plain(path, shown)
        else:
            columns = [self._draw(sampler, np.repeat(seed, self._entries)) for seed in self._seeds]
            shown = columns[0]
            save_whole(self._asked_and_drawn(columns), path)
        add_frame(folder, snapshot, shown[:ENTRIES])
        return path

    def _draw(self, sampler, seeds):
        """Pictures of seeds [N] as cells, each under its entry's conditions if the model has any."""
        height, width = sampler.config.level_sizes[sampler.level]
        per_call = max(1, PIXELS_PER_CALL // (height * width))
        cells = []
        for start in range(0, len(seeds), per_call):
            part = slice(start, start + per_call)
            conditions = () if self._articles is None else (self._articles[part], self._keypoints[part])
            cells += self._cells(sampler.picture(seeds[part], *conditions))
        return cells

    def _asked_and_drawn(self, columns):
        """Rows of articles, pose, photo, and what was drawn; `columns` has a list of cells for each seed."""
        rows = []
        for entry, pictures in enumerate(zip(*columns)):
            pose = draw_skeleton(Image.new("RGB", self._cell_size[::-1], MISSING), self._keypoints[entry])
            articles = self._wardrobe(self._articles[entry])
            asked = [(articles, "articles (gray = none)"), (pose, "pose"), (self._photos[entry], self._photo_caption)]
            drawn = [(picture, f"seed {seed}") for picture, seed in zip(pictures, self._seeds)]
            rows.append(asked + drawn)
        return montage(rows)

    def _wardrobe(self, articles):
        """All slots of an outfit [S, h, w, 3] in one cell, two in a row; a missing article is gray."""
        height, width = self._cell_size
        box = (width // 2 - FRAME, height // -(-len(articles) // 2) - FRAME)
        fitted = [ImageOps.pad(Image.fromarray(article), box, color=PAPER) for article in pixels.array_to_uint8(articles)]
        return montage([fitted[slot : slot + 2] for slot in range(0, len(fitted), 2)], gap=FRAME, margin=FRAME // 2)

    def _cells(self, images):
        """Pictures [N, H, W, 3] in [-1, 1] as a list of Pillow images of the cells' size."""
        height, width = self._cell_size
        enlarged = images.shape[1] < height  # Pixel by pixel: what the model drew, nothing smoother.
        how = Image.Resampling.NEAREST if enlarged else Image.Resampling.BOX
        return [Image.fromarray(image).resize((width, height), how) for image in pixels.array_to_uint8(images)]


def _cell_size(size):
    """(height, width) of cells for pictures of `size`: enlarged by a whole number, or halved until they fit."""
    height, width = size
    scale = max(1, LEAST_HEIGHT // height)
    halvings = max(0, (height - 1).bit_length() - (MOST_HEIGHT - 1).bit_length())
    return height * scale >> halvings, width * scale >> halvings


def _write_plain(path, cells):
    save_whole(montage([cells[start : start + COLUMNS] for start in range(0, len(cells), COLUMNS)]), path)


def add_frame(folder, snapshot, cells):
    """Adds a snapshot's pictures, a list of Pillow images of one size, to the timeline of a run's folder."""
    frames = folder / "timeline"
    frames.mkdir(exist_ok=True)
    fading = f", fading in {snapshot.alpha:.0%}" if snapshot.alpha < 1 else ""
    caption = f"{snapshot.cur_nimg / 1000:.0f} kimg, {format_size(snapshot.size)}{fading}"
    save_whole(_frame(cells, caption), frames / f"{snapshot.name}.png")

    paths = sorted(frames.glob("[0-9]*kimg.png"))
    first, *others = (Image.open(paths[index]) for index in spread(len(paths)))
    durations = [FRAME_MS] * len(others) + [LAST_FRAME_MS]
    save_whole(first, folder / "timeline.gif", "GIF", save_all=True, append_images=others, duration=durations, loop=0)


def spread(count, most=MOST_FRAMES):
    """Indices of at most `most` of `count` frames, evenly spread from the first to the last."""
    if count <= most:
        return list(range(count))
    return [round(place * (count - 1) / (most - 1)) for place in range(most)]


def _frame(cells, caption):
    """Cells side by side over a caption, with a palette as a GIF has it."""
    height = min(FRAME_HEIGHT, cells[0].height)
    width = round(cells[0].width * height / cells[0].height)
    row = montage([[cell.resize((width, height), Image.Resampling.BOX) for cell in cells]], margin=0)
    frame = montage([[(row, caption)]])
    # The frames of one GIF have one size, also where a run began with a version that left no margin below the caption.
    return frame.crop((0, 0, frame.width, frame.height - GAP)).quantize(COLORS)
