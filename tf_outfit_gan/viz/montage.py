"""Pictures in rows with captions and titles: how every sheet is laid out; and written whole.

A montage is a picture, too: what does not stand in one grid is a montage of montages.
"""

from itertools import zip_longest

from PIL import Image, ImageDraw, ImageFont

from tf_outfit_gan.util.atomic import whole_file

MIN_HEIGHT = 256  # Smaller pictures are enlarged about to this height, pixel by pixel, so that they can be judged.
GAP, CAPTION, FONT_SIZE = 8, 22, 14  # Pixels; a line of text is CAPTION high.
PAPER, INK = (255, 255, 255), (40, 44, 52)
MISSING = (128, 128, 128)  # In the place of an article that an outfit lacks.


def montage(rows, titles=(), gap=GAP, margin=GAP, paper=PAPER):
    """Lays pictures out in rows and columns, each as large as its largest picture; smaller ones stand at its upper left.

    Args:
        rows: lists of cells: a Pillow image, or (image, caption); a caption too long for its picture is cut.
        titles: a text above each row, or None; rows beyond the last one have none. It may have several lines.
        gap: between the cells, in pixels.
        margin: around all of them.
        paper: color of the ground.

    Returns:
        A Pillow image.
    """
    rows = [[cell if isinstance(cell, tuple) else (cell, None) for cell in row] for row in rows]
    # Where columns begin, and how high the parts of a row are: its title, its pictures, its captions.
    widths = [max(cell[0].width for cell in column if cell) for column in zip_longest(*rows)]
    lefts = [margin + sum(widths[:place]) + gap * place for place in range(len(widths))]
    parts = [
        (
            CAPTION * len(title.splitlines()) if title else 0,
            max(image.height for image, _ in row),
            CAPTION * any(caption is not None for _, caption in row),
        )
        for row, title in zip_longest(rows, titles)
    ]
    width = 2 * margin + sum(widths) + gap * (len(widths) - 1)
    height = 2 * margin + sum(map(sum, parts)) + gap * (len(rows) - 1)

    sheet, top = Image.new("RGB", (width, height), paper), margin
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(FONT_SIZE)
    for row, title, (above, middle, below) in zip_longest(rows, titles, parts):
        for number, line in enumerate((title or "").splitlines()):
            place = margin, top + (number + 0.5) * CAPTION
            draw.text(place, _cut(line, width - 2 * margin, draw, font), INK, font, anchor="lm")
        for left, (image, caption) in zip(lefts, row):
            sheet.paste(image, (left, top + above))
            place = left + image.width / 2, top + above + image.height + CAPTION / 2
            draw.text(place, _cut(caption or "", image.width, draw, font), INK, font, anchor="mm")
        top += above + middle + below + gap
    return sheet


def _cut(text, width, draw, font):
    """A line of text that fits into a width."""
    while draw.textlength(text, font) > width:
        text = text.rstrip("…")[:-1] + "…"
    return text


def picture(pixels):
    """The cell of a picture, uint8 [H, W, 3]: a small one is enlarged by a whole number."""
    return enlarged(Image.fromarray(pixels))


def enlarged(image):
    """A Pillow image, about `MIN_HEIGHT` high or higher: a small one by a whole number, so that its pixels show."""
    return scaled(image, max(1, MIN_HEIGHT // image.height))


def scaled(image, factor):
    """A Pillow image enlarged by a whole number, so that its pixels show."""
    return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)


def save_whole(image, path, kind="PNG", **options):
    """Writes a Pillow image as a whole file.

    Args:
        kind, options: as `Image.save` takes them.
    """
    with whole_file(path) as partial:
        image.save(partial, kind, **options)
