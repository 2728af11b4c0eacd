"""Photographs that strangers send: recognised by their content, and made anew from their pixels, so that nothing else
of the file remains: not where and by whom it was taken, no second file behind the first, nothing that runs.

Pillow and what it reads HEIC with come with the extra `images`, and are imported when the first photograph comes.
"""

from io import BytesIO
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from houbao.core.terms import Refused
from houbao.engine.evidence import MOST_PHOTO_BYTES

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 50_000_000
"""The most pixels that are unpacked, known before they are: telephones reach 48 million."""
LONGEST = 4032
"""What a longer side is reduced to: a telephone's 12 million pixels stay as they are, and 48 million are unpacked at
half the length. Papers and serial numbers stay legible."""
THUMBNAIL = 320
MOST_PNG_BYTES = 2 * 1024 * 1024
"""Up to this size a PNG, which is a screenshot or a drawing, stays one."""
QUALITY = 90

FORMATS = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/apng": "PNG",
    "image/webp": "WEBP",
    "image/heic": "HEIF",
    "image/avif": "AVIF",
}
"""What is taken → Pillow's name of it. PDF and video are not: they cannot be made anew from what is seen of them, so
they could not be cleaned either."""
BRANDS = {b"heix": "image/heic", b"heim": "image/heic", b"heis": "image/heic", b"avis": "image/avif"}
"""How HEIC of ten bits, and files of several pictures, begin behind `ftyp`: `filetype` does not know those."""
TAKEN = "JPEG, PNG, WebP, HEIC and AVIF are taken: of a paper or a film send photos"


class Photo(Struct, frozen=True):
    """A photograph made anew: its content, what it is, its size, and a small JPEG of it."""

    content: bytes
    media: Literal["image/jpeg", "image/png"]
    width: int
    height: int
    thumbnail: bytes


def remake(content: bytes) -> Photo:
    """The photograph as its pixels alone tell it: upright, in sRGB, on white where it was transparent, the first of
    several, at most 4,032 pixels long; JPEG, or PNG where it came as a small one. The same content gives the same
    photograph.

    Raises Refused: bad_image, image_too_large, no_images."""
    if len(content) > MOST_PHOTO_BYTES:
        raise Refused("image_too_large", f"{len(content):,} bytes: send at most {MOST_PHOTO_BYTES:,}")
    kind = media_of(content)
    format = FORMATS[kind]
    try:
        picture = _clean(content, format)
    except Refused:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a decoder raises over a file made to harm, it is no photograph
        raise Refused("bad_image", f"it says it is {kind}, but cannot be read as that: {error}") from None
    stays = format == "PNG" and len(content) <= MOST_PNG_BYTES
    small = picture.copy()
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    return Photo(
        content=_written(picture, "PNG" if stays else "JPEG"),
        media="image/png" if stays else "image/jpeg",
        width=picture.width,
        height=picture.height,
        thumbnail=_written(small, "JPEG"),
    )


def media_of(content: bytes) -> str:
    """What the content is by its first bytes, whatever its name says. Raises Refused: bad_image, no_images."""
    try:
        import filetype
    except ImportError:
        raise _missing() from None
    if content[4:8] == b"ftyp" and content[8:12] in BRANDS:
        return BRANDS[content[8:12]]
    found = filetype.guess(content)
    if found is None or found.mime not in FORMATS:
        what = found.mime if found else "no picture"
        raise Refused("bad_image", f"it is {what} by its content; {TAKEN}")
    return str(found.mime)


def _missing() -> Refused:
    return Refused("no_images", "this installation takes no photographs: install houbao[images] (Pillow, pillow-heif)")


def _clean(content: bytes, format: str) -> "Image":
    """The pixels, in a picture that never knew the file."""
    try:
        import pillow_heif
        from PIL import Image, ImageOps
    except ImportError:
        raise _missing() from None
    pillow_heif.register_heif_opener()
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    try:
        opened = Image.open(BytesIO(content), formats=(format,))
    except Image.DecompressionBombError as error:
        raise Refused("image_too_large", f"{error}: send at most {MOST_PIXELS:,} pixels") from None
    _check_size(opened)
    if format == "JPEG":
        # Unpacks at a half or a quarter what is reduced anyway. Of a HEIC it would take the little picture inside the
        # file, which may show something else.
        opened.draft(None, (LONGEST, LONGEST))
    opened.load()
    _check_size(opened)  # a HEIC may turn out larger than it said
    picture = _smooth(opened)
    picture.thumbnail((LONGEST, LONGEST))
    picture = _in_srgb(_on_white(ImageOps.exif_transpose(picture)), opened.info.get("icc_profile"))
    clean = Image.new(picture.mode, picture.size)
    clean.paste(picture)
    return clean


def _check_size(picture: "Image") -> None:
    """`Refused('image_too_large')` where unpacking it would take more memory than a photograph needs."""
    if picture.width * picture.height > MOST_PIXELS:
        raise Refused(
            "image_too_large", f"{picture.width:,} by {picture.height:,} pixels: send at most {MOST_PIXELS:,} in all"
        )


def _smooth(picture: "Image") -> "Image":
    """In a mode that can be made smaller smoothly: eight bits a channel, no palette."""
    if picture.mode.startswith("I"):
        return picture.point(lambda level: level / 256).convert("L")  # 16 bits a pixel
    if picture.mode in ("1", "P", "PA"):
        return picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    return picture


def _on_white(picture: "Image") -> "Image":
    """Without transparency; CMYK stays as it is until its profile was used."""
    from PIL import Image

    if picture.has_transparency_data:
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, picture.convert("RGBA")).convert("RGB")
    return picture if picture.mode in ("L", "CMYK") else picture.convert("RGB")


def _in_srgb(picture: "Image", profile: bytes | None) -> "Image":
    """The colours as they were meant, for without its profile a file's numbers mean sRGB: "not the colour shown" is
    decided by them."""
    from PIL import ImageCms

    if profile and picture.mode != "L":
        meant = BytesIO(profile)
        try:
            srgb = ImageCms.createProfile("sRGB")
            found = ImageCms.profileToProfile(picture, ImageCms.ImageCmsProfile(meant), srgb, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            found = None  # a profile that cannot be used is as good as none
        if found is not None:
            return found
    return picture if picture.mode == "L" else picture.convert("RGB")


def _written(picture: "Image", format: str) -> bytes:
    file = BytesIO()
    picture.save(file, format, quality=QUALITY, optimize=True)
    return file.getvalue()
