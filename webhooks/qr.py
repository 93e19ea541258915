"""A text as a QR code that a page shows without a script."""

import base64

import zxingcpp


def as_image(text: str) -> str:
    """The address of its picture, for an `img`: drawn in lines, so that it is sharp at any size."""
    drawn = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M").to_svg()
    return "data:image/svg+xml;base64," + base64.b64encode(drawn.encode()).decode()
