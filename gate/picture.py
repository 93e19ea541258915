"""The text of a QR code out of a picture."""

import io
import warnings

import zxingcpp
from PIL import Image, UnidentifiedImageError

from gate.code import Unreadable

MOST_BYTES = 4 * 1024 * 1024
_MOST_PIXELS = 25_000_000
_FORMATS = ("PNG", "JPEG")
_QR = zxingcpp.barcode_formats_from_str("QRCode")


def text_in(picture: bytes) -> str:
    """The text of the one QR code in a PNG or JPEG; `Unreadable` if there is none, or more than one."""
    if len(picture) > MOST_BYTES:
        raise Unreadable("a picture of more than 4 MB")
    found = zxingcpp.read_barcodes(_grey(picture), formats=_QR)
    if len(found) != 1:
        raise Unreadable(f"{len(found)} QR codes in the picture")
    return found[0].text


def _grey(picture: bytes) -> Image.Image:
    """The picture without its colours; where it is transparent it is white, as a screen shows it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            opened = Image.open(io.BytesIO(picture), formats=_FORMATS)
            if opened.width * opened.height > _MOST_PIXELS:
                raise Unreadable("a picture of more than 25 million pixels")
            whole = opened.convert("RGBA")
    except (
        UnidentifiedImageError,
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombWarning,
    ) as wrong:
        raise Unreadable("no PNG or JPEG picture") from wrong
    paper = Image.new("RGBA", whole.size, "white")
    return Image.alpha_composite(paper, whole).convert("L")
