"""Pictures from outside: opened with care, fitted into a frame, and halved into levels."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from tf_outfit_gan.errors import UserError

WHITE = (255, 255, 255)


@dataclass(frozen=True)
class Placement:
    """Where a picture went in its frame: x' = x * scale + offset, in widths and heights of the old and new frame."""

    x_scale: float
    x_offset: float
    y_scale: float
    y_offset: float

    def move(self, keypoints):
        """Moves a pose [K, 3] along with its picture."""
        moved = np.array(keypoints, np.float32)
        moved[:, 0] = moved[:, 0] * self.x_scale + self.x_offset
        moved[:, 1] = moved[:, 1] * self.y_scale + self.y_offset
        moved[moved[:, 2] == 0] = 0
        return moved


def open_image(path):
    """Opens a picture of any kind as 8-bit RGB: upright (EXIF), transparency laid on white.

    Raises `UserError` that names a file which is missing, truncated, too large to be sane, or no picture.
    """
    try:
        with Image.open(path) as image:
            image.load()
            image = ImageOps.exif_transpose(image)
            if image.mode.startswith("I"):
                # Pillow would clip 16-bit gray to 255 instead of scaling it.
                gray = np.asarray(image, np.int64).clip(0, 65535) >> 8
                return Image.fromarray(gray.astype(np.uint8)).convert("RGB")
            if image.has_transparency_data:
                image = image.convert("RGBA")
                return Image.alpha_composite(Image.new("RGBA", image.size, WHITE), image).convert("RGB")
            return image.convert("RGB")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except Exception as error:  # noqa: BLE001 - Pillow's decoders raise what they like for broken files.
        reason = " ".join(str(error).split()).replace(f" {str(path)!r}", "") or type(error).__name__
        raise UserError(f"{path}: expected a picture such as PNG or JPEG, could not read it ({reason})") from None


def fit(image, size, fill=None):
    """Scales an RGB picture to fit inside `size` (height, width), keeps its aspect and centres it.

    The rest is padded with `fill`, or with the median colour of the picture's border when that is None, which continues
    a studio's background. Returns the picture and its `Placement`.
    """
    height, width = size
    scale = min(width / image.width, height / image.height)
    inner = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    fill = _border_colour(image) if fill is None and inner != (width, height) else fill
    if inner != image.size:
        image = image.resize(inner, Image.Resampling.LANCZOS)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    if inner != (width, height):
        framed = Image.new("RGB", (width, height), fill)
        framed.paste(image, (left, top))
        image = framed
    return image, Placement(inner[0] / width, left / width, inner[1] / height, top / height)


def pyramid(image, levels):
    """Returns the picture [H, W, 3] uint8 at each of `levels`, from small to large; its own size is the last one.

    Each level is the exact mean of 2x2 pixels of the next, as StyleGAN stores its data: sums are kept as integers and
    rounded once, so no level inherits the rounding of another.
    """
    pixels = [np.asarray(image)]
    sums = pixels[0].astype(np.uint32)
    for shift in range(2, 2 * len(levels), 2):
        sums = sums[0::2] + sums[1::2]
        sums = sums[:, 0::2] + sums[:, 1::2]
        pixels.insert(0, (sums + (1 << (shift - 1)) >> shift).astype(np.uint8))
    return pixels


def _border_colour(image):
    pixels = np.asarray(image)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return tuple(int(channel) for channel in np.median(border, axis=0))
