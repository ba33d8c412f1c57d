"""The timeline of a run: the same seeds again and again while the networks learn and grow, as one moving picture.

    RUN/timeline/000400kimg.png   a frame of each snapshot, some tens of kilobytes
    RUN/timeline.gif              the frames, or so many of them, evenly spread, as a viewer has patience for

As frames are kept, a resumed run goes on where it stopped, and the cost of a new frame does not grow with the run.
"""

from PIL import Image, ImageDraw, ImageFont

from tf_outfit_gan.sizes import format_size
from tf_outfit_gan.viz.sheet import CAPTION, FONT_SIZE, GAP, INK, PAPER, save_whole

MOST_FRAMES = 60
HEIGHT = 192  # Of a cell, at most.
FRAME_MS, LAST_FRAME_MS = 200, 3000
COLOURS = 128


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
    height = min(HEIGHT, cells[0].height)
    width = round(cells[0].width * height / cells[0].height)
    frame = Image.new("RGB", (len(cells) * (width + GAP) + GAP, height + CAPTION + GAP), PAPER)
    for place, cell in enumerate(cells):
        frame.paste(cell.resize((width, height), Image.Resampling.BOX), (GAP + place * (width + GAP), GAP))
    middle = (frame.width / 2, frame.height - CAPTION / 2)
    ImageDraw.Draw(frame).text(middle, caption, INK, ImageFont.load_default(FONT_SIZE), anchor="mm")
    return frame.quantize(COLOURS)
