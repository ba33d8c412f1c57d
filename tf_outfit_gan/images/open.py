"""Pictures from outside: opened with care, fitted into a frame, and halved into levels."""

import io
import os
import warnings
from dataclasses import dataclass

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.ExifTags import Base
from PIL.ImageOps import exif_transpose

from tf_outfit_gan.images.color_profile import to_srgb
from tf_outfit_gan.images.jpeg import decode_jpeg
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.files import read_file
from tf_outfit_gan.util.storage import RemotePath

WHITE = (255, 255, 255)

# What catalogues are made of. Pillow knows more, and would start other programs for some (EPS).
FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF")

# Limits of a sane picture: one pixel is a placeholder, and most cameras have up to 61 million. A picture at the limit
# takes half a gigabyte to open.
MIN_SIDE, MAX_PIXELS, MAX_BYTES = 3, 1 << 26, 1 << 29

# How files of kinds that are not read begin.
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")
JPEG_XL = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")

BITS_PER_SAMPLE, PHOTOMETRIC = 258, 262  # Tags of TIFF.


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

    def inverse(self):
        """The way back, from places in the frame to places in the picture."""
        return Placement(1 / self.x_scale, -self.x_offset / self.x_scale, 1 / self.y_scale, -self.y_offset / self.y_scale)


def open_image(source, name=None, *, frame=None, max_pixels=MAX_PIXELS, cmyk_profile=None):
    """Opens a picture as 8-bit RGB in sRGB: upright (EXIF), transparency laid on white.

    Of an animation or a file of several pages it is the first picture.

    Args:
        source: the path or the bytes of a file of one of `FORMATS`, a Pillow image, or an array uint8 [H, W], [H, W, 3]
            or [H, W, 4].
        name: what an error calls the picture; by default its path.
        frame: (height, width) that it is going to be fitted into: of a JPEG much larger than that, a reduced picture of
            the same aspect is decoded, which is faster and loses nothing that `fit` would keep. None = at its size.
        max_pixels: a larger picture is refused.
        cmyk_profile: the bytes of the ICC profile of a CMYK picture that has none; None = by the plain formula.

    Raises:
        UserError: names a picture that is missing, damaged as far as its format shows, too large or too small to be
            sane, or no picture.
    """
    if isinstance(source, (str, os.PathLike, RemotePath)):
        name = name or source
        source = read_file(source, MAX_BYTES)
    try:
        with quiet_tags():
            if isinstance(source, bytes):
                return _decode(source, frame, max_pixels, cmyk_profile)
            image = source if isinstance(source, Image.Image) else _from_array(source)
            _check_size(image, max_pixels)
            return _to_rgb(image.copy(), cmyk_profile)  # Whose pixels stay the caller's.
    except UnidentifiedImageError:  # Its message holds an address in memory, another one in each run.
        reason = _no_picture(source)
    except Exception as error:
        reason = str(error) or type(error).__name__
    raise UserError(f"{name}: expected a picture such as PNG or JPEG, could not read it ({reason})")


def quiet_tags():
    """A context in which Pillow does not warn, as it does of tags that no pixel depends on."""
    return warnings.catch_warnings(action="ignore")


def image_size(path):
    """The (height, width) of an upright picture by its header; raises `UserError` as `open_image` does for no picture."""
    try:
        with quiet_tags(), Image.open(io.BytesIO(path.read_bytes()) if isinstance(path, RemotePath) else path) as image:
            width, height = image.size
            return (width, height) if _turned(image) else (height, width)
    except Exception as error:
        raise UserError(f"{path}: expected a picture such as PNG or JPEG, could not read it ({error})") from None


def _decode(data, frame, max_pixels, cmyk_profile):
    with Image.open(io.BytesIO(data)) as image:
        if image.format not in FORMATS:
            raise ValueError(f"{image.format} is not one of {', '.join(FORMATS)}")
        _check_size(image, max_pixels)
        if image.format in ("JPEG", "MPO"):
            return _to_rgb(decode_jpeg(data, image, frame[::-1] if frame and _turned(image) else frame), cmyk_profile)
        if image.format == "PNG":
            with Image.open(io.BytesIO(data)) as checked:
                checked.verify()  # Its checksums, which decoding does not look at; and this cannot decode any more.
        return _to_rgb(image, cmyk_profile)


def _turned(image):
    """Whether EXIF says that an image lies on its side."""
    return orientation(image) >= 5


def orientation(image):
    """How EXIF says that a Pillow image lies, 1 = upright; broken EXIF says nothing, as in viewers and in exported models."""
    try:
        return image.getexif().get(Base.Orientation, 1)
    except Exception:  # Pillow raises what the first tag that it cannot read makes it raise.
        return 1


def _no_picture(data):
    """What stands in the place of a picture, of those that Pillow does not open."""
    if not data:
        return "it is empty"
    if data.startswith(b"version https://git-lfs"):
        return "it is a Git-LFS pointer; fetch the file itself by: git lfs pull"
    if data[:256].lstrip().startswith(b"<"):
        return "it is a page of HTML or XML, such as a server's error message; download the file again"
    if data[4:8] == b"ftyp" and data[8:12] in HEIC_BRANDS:
        return "it is HEIC; convert it to JPEG or PNG"
    if data.startswith(JPEG_XL):
        return "it is JPEG XL; convert it to JPEG or PNG"
    return "of no known kind"


def _from_array(array):
    array = np.asarray(array)
    if array.dtype != np.uint8 or not (array.ndim == 2 or array.ndim == 3 and array.shape[2] in (3, 4)):
        raise ValueError(f"an array {array.dtype} {list(array.shape)}; expected uint8 [H, W], [H, W, 3] or [H, W, 4]")
    return Image.fromarray(array)


def _check_size(image, max_pixels):
    """Of a file this reads the header alone: a few kilobytes can claim to be gigabytes of pixels."""
    width, height = image.size
    if width * height > max_pixels or min(width, height) < MIN_SIDE:
        raise ValueError(f"{height}x{width} pixels; expected {MIN_SIDE} a side at least, {max_pixels:,} in all at most")


def _to_rgb(image, cmyk_profile):
    """Turns any picture of Pillow's upright, and into sRGB on white; one that is so already is given back as it is."""
    image.load()  # While its file is open.
    if image.mode.startswith("I;16"):
        _check_gray(image)  # While it has its tags.
    upright = exif_transpose(image) if orientation(image) != 1 else image
    return _on_white(upright, image.info.get("icc_profile"), cmyk_profile)


def _on_white(image, profile, cmyk_profile):
    """Turns a picture of any mode into RGB, in sRGB, without transparency."""
    if image.mode.startswith("I;16"):
        # Pillow would clip it at 255.
        image = Image.fromarray((np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8))
    elif image.mode in ("I", "F"):
        raise ValueError("its pixels have 32 bits, and nothing says which number is white")
    if not image.has_transparency_data:
        return to_srgb(image if image.mode in ("L", "RGB", "CMYK") else image.convert("RGB"), profile, cmyk_profile)
    image = image.convert("RGBA")
    colors = to_srgb(image.convert("RGB"), profile)
    return Image.composite(colors, Image.new("RGB", image.size, WHITE), image.getchannel("A"))


def _check_gray(image):
    """Refuses 16-bit gray whose numbers do not say black by 0 and white by their largest."""
    tags = getattr(image, "tag_v2", {})
    if (tags.get(BITS_PER_SAMPLE, (16,)), tags.get(PHOTOMETRIC, 1)) != ((16,), 1):
        raise ValueError("TIFF of more than 8 bits is read only if it has 16, with 0 for black")
    if "transparency" in image.info:
        raise ValueError("16-bit gray with a transparent shade is not read")


def fit(image, size):
    """Scales an RGB picture to fit inside `size` (height, width), keeps its aspect and centers it.

    The rest is padded with the median color of the picture's border, which continues a studio's background or a packshot's
    paper. Returns the picture and its `Placement`.
    """
    height, width = size
    scale = min(width / image.width, height / image.height)
    inner = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    fill = _border_color(image) if inner != (width, height) else None
    if inner != image.size:
        image = image.resize(inner, Image.Resampling.LANCZOS)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    if inner != (width, height):
        framed = Image.new("RGB", (width, height), fill)
        framed.paste(image, (left, top))
        image = framed
    return image, Placement(inner[0] / width, left / width, inner[1] / height, top / height)


def pyramid(image, levels):
    """Returns an RGB picture at each of `levels`, from small to large; its own size is the last one.

    Each pixel is the exact mean of those of the picture that it covers, rounded once, so no level inherits the rounding of
    another; StyleGAN stores its data as such means, too.
    """
    return [*(image.reduce(image.height // height) for height, _ in levels[:-1]), image]


def _border_color(image):
    pixels = np.asarray(image)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return tuple(int(channel) for channel in np.median(border, axis=0))
