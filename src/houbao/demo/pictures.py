"""Pictures that stand for photographs in the demonstration: drawn, and saying so."""

from hashlib import sha256
from io import BytesIO
from typing import Any


def teapot() -> bytes | None:
    """A drawn teapot, as a listing shows it; None where Pillow is not installed."""
    try:
        from PIL import Image, ImageDraw
    except ImportError:
        return None
    drawn = Image.new("RGB", (960, 720), (238, 236, 230))
    pen = ImageDraw.Draw(drawn)
    blue, dark = (62, 98, 152), (38, 62, 100)
    pen.ellipse((620, 250, 800, 470), outline=blue, width=34)
    pen.polygon([(310, 420), (150, 250), (205, 235), (360, 340)], fill=blue)
    pen.ellipse((270, 210, 690, 570), fill=blue, outline=dark, width=4)
    pen.rectangle((370, 550, 590, 580), fill=dark)
    pen.ellipse((390, 195, 570, 255), fill=dark)
    pen.ellipse((455, 150, 505, 200), fill=dark)
    pen.text((24, 24), "SIMULATED LISTING", fill=(70, 70, 70), font_size=26)
    return _jpeg(drawn)


def picture(text: str) -> bytes | None:
    """A drawn parcel with a tear, each text another one; None where Pillow is not installed."""
    try:
        from PIL import Image, ImageDraw
    except ImportError:
        return None
    dice = sha256(text.encode()).digest()
    drawn = Image.new("RGB", (960, 720), (226 - dice[0] // 12, 226 - dice[1] // 12, 222 - dice[2] // 12))
    pen = ImageDraw.Draw(drawn)
    left, top = 200 + dice[3] // 4, 150 + dice[4] // 4
    pen.rectangle((left, top, left + 500, top + 380), fill=(181, 140, 99), outline=(120, 88, 56), width=4)
    pen.rectangle((left + 220, top, left + 280, top + 380), fill=(205, 176, 138))
    tear = [(left + 90 + 40 * n, top + 60 + (dice[5 + n] + 97 * n) % 150) for n in range(9)]
    pen.line(tear, fill=(64, 40, 22), width=9, joint="curve")
    pen.text((24, 24), f"SIMULATED PHOTO · {text}", fill=(70, 70, 70), font_size=26)
    return _jpeg(drawn)


def _jpeg(drawn: Any) -> bytes:
    file = BytesIO()
    drawn.save(file, "JPEG", quality=88)
    return file.getvalue()
