"""Pictures laid out side by side with captions, and written whole."""

from PIL import Image, ImageDraw, ImageFont

from tf_outfit_gan.util.atomic import whole_file

MIN_HEIGHT = 256  # Smaller pictures are enlarged about to this height, pixel by pixel, so that they can be judged.
GAP, CAPTION, FONT_SIZE = 8, 22, 14  # Pixels.
PAPER, INK = (255, 255, 255), (40, 44, 52)
MISSING = (128, 128, 128)  # In the place of an article that an outfit lacks.


def grid(rows):
    """Lays pictures of one size out in rows.

    Args:
        rows: lists of (uint8 [H, W, 3], caption); a caption too long for its picture is cut.

    Returns:
        A Pillow image.
    """
    height, width = rows[0][0][0].shape[:2]
    scale = max(1, MIN_HEIGHT // height)
    height, width = height * scale, width * scale
    columns = max(map(len, rows))
    sheet = Image.new("RGB", (columns * (width + GAP) + GAP, len(rows) * (height + CAPTION + GAP) + GAP), PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(FONT_SIZE)
    for i, row in enumerate(rows):
        for j, (pixels, caption) in enumerate(row):
            left, top = GAP + j * (width + GAP), GAP + i * (height + CAPTION + GAP)
            sheet.paste(Image.fromarray(pixels).resize((width, height), Image.Resampling.NEAREST), (left, top))
            while draw.textlength(caption, font) > width:
                caption = caption.rstrip("…")[:-1] + "…"
            draw.text((left + width / 2, top + height + CAPTION / 2), caption, INK, font, anchor="mm")
    return sheet


def save_whole(image, path, kind="PNG", **options):
    """Writes a Pillow image as a whole file.

    Args:
        kind, options: as `Image.save` takes them.
    """
    with whole_file(path) as partial:
        image.save(partial, kind, **options)
