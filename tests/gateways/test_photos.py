"""What strangers send as photographs: nothing but the picture survives, and nothing else gets in."""

import struct
import sys
import zlib
from io import BytesIO

import pytest

pytest.importorskip("pillow_heif", reason="pillow-heif is not installed: it comes with the extra `images`")
import pillow_heif
from PIL import Image, ImageCms, ImageDraw

from houbao.core.terms import Refused
from houbao.engine.evidence import MOST_PHOTO_BYTES
from houbao.gateways import photos
from houbao.gateways.photos import LONGEST, MOST_PIXELS, MOST_PNG_BYTES, THUMBNAIL, remake

pillow_heif.register_heif_opener()

SECRETS = (b"Exif", b"Canon", b"Ann Buyer", b"GPS", b"<x:xmpmeta", b"a hidden word", b"ICC_PROFILE", b"PK\x03\x04")
PRETENDING = {
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "svg behind a declaration": b"<?xml version='1.0'?><!DOCTYPE svg><svg/>",
    "html": b"<!doctype html><script>alert(1)</script>",
    "pdf": b"%PDF-1.7\n1 0 obj<<>>endobj",
    "zip": b"PK\x03\x04" + bytes(200),
    "program": b"\x7fELF" + bytes(200),
    "film": b"\x00\x00\x00\x18ftypmp42" + bytes(200),
    "nothing": b"",
    "text": b"a photo, honestly",
}
BEGINNINGS = {
    "JPEG": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00",
    "PNG": b"\x89PNG\r\n\x1a\n",
    "WEBP": b"RIFF\x00\x01\x00\x00WEBPVP8 ",
    "HEIC": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00heicmif1",
    "AVIF": b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1",
}


def parcel(width: int = 160, height: int = 120, mode: str = "RGB") -> Image.Image:
    """A picture whose upper left quarter is red and the rest blue."""
    picture = Image.new("RGB", (width, height), "blue")
    ImageDraw.Draw(picture).rectangle((0, 0, width // 2, height // 2), "red")
    return picture.convert(mode)


def file_of(picture: Image.Image, format: str, **more: object) -> bytes:
    file = BytesIO()
    picture.save(file, format, **more)
    return file.getvalue()


def camera(orientation: int = 1) -> Image.Exif:
    """What a telephone writes into a picture: its make, its owner, where it was taken."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Canon"
    exif[0x013B] = "Ann Buyer"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    return exif


def opened(content: bytes) -> Image.Image:
    picture = Image.open(BytesIO(content))
    picture.load()
    return picture


def is_red(picture: Image.Image, at: tuple[int, int]) -> bool:
    red, _, blue = picture.convert("RGB").getpixel(at)
    return red > 200 and blue < 60


def refused(content: bytes) -> Refused:
    with pytest.raises(Refused) as error:
        remake(content)
    return error.value


# --- what is kept --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["JPEG", "WEBP", "HEIF", "AVIF", "PNG"])
def test_of_every_kind_the_picture_is_kept_and_nothing_that_the_camera_wrote(format):
    sent = file_of(parcel(), format, exif=camera(), quality=95)
    assert b"Canon" in sent and opened(sent).getexif().get_ifd(0x8825)
    photo = remake(sent)
    assert photo.media == ("image/png" if format == "PNG" else "image/jpeg")
    for content in (photo.content, photo.thumbnail):
        kept = opened(content)
        assert not [secret for secret in SECRETS if secret in content]
        assert not kept.getexif() and set(kept.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert is_red(kept, (10, 10)) and not is_red(kept, (kept.width - 10, kept.height - 10))
    assert (photo.width, photo.height) == opened(photo.content).size == (160, 120)


def test_words_xmp_and_comments_inside_are_gone():
    from PIL.PngImagePlugin import PngInfo

    words = PngInfo()
    words.add_text("Comment", "a hidden word")
    words.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta>Ann Buyer</x:xmpmeta>")
    png = file_of(parcel(), "PNG", pnginfo=words)
    jpeg = file_of(parcel(), "JPEG", comment=b"a hidden word", xmp=b"<x:xmpmeta>Ann Buyer</x:xmpmeta>", dpi=(300, 300))
    for sent in (png, jpeg):
        assert b"a hidden word" in sent and b"Ann Buyer" in sent
        assert not [secret for secret in SECRETS if secret in remake(sent).content]


@pytest.mark.parametrize("format", ["JPEG", "HEIF", "AVIF", "WEBP", "PNG"])
@pytest.mark.parametrize(("orientation", "corner"), [(1, (0, 0)), (2, (1, 0)), (3, (1, 1)), (6, (1, 0)), (8, (0, 1))])
def test_a_picture_taken_sideways_is_upright(format, orientation, corner):
    """By EXIF 2.32, 4.6.4: where the first row and column are to be shown. A HEIC also says it beside the pixels, as
    telephones do."""
    picture, exif = parcel(), camera(orientation)
    picture.info["exif"] = exif.tobytes()
    kept = opened(remake(file_of(picture, format, **({} if format == "HEIF" else {"exif": exif}))).content)
    assert kept.size == ((120, 160) if orientation in (6, 8) else (160, 120))
    places = [(5, 5), (kept.width - 6, 5), (5, kept.height - 6), (kept.width - 6, kept.height - 6)]
    assert [place for place in places if is_red(kept, place)] == [places[corner[0] + 2 * corner[1]]]


def test_the_same_file_gives_the_same_photograph():
    sent = file_of(parcel(), "JPEG", exif=camera())
    assert remake(sent) == remake(sent)


def test_a_second_file_behind_the_picture_is_gone():
    jpeg = file_of(parcel(), "JPEG") + b"PK\x03\x04 an archive" + b"<script>alert(1)</script>"
    png = file_of(parcel(), "PNG") + b"%PDF-1.7 a paper" + b"<script>alert(1)</script>"
    for sent in (jpeg, png):
        photo = remake(sent)
        assert b"script" not in photo.content and b"PK\x03\x04" not in photo.content and b"%PDF" not in photo.content


def test_transparency_lies_on_white():
    clear = parcel(mode="RGBA")
    clear.putalpha(0)
    palette = parcel(mode="P")
    palette.info["transparency"] = palette.getpixel((150, 110))
    for sent in (file_of(clear, "PNG"), file_of(clear, "WEBP"), file_of(palette, "PNG")):
        kept = opened(remake(sent).content)
        assert kept.mode == "RGB" and min(kept.getpixel((150, 110))) > 250


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "CMYK", "RGBA"])
def test_pictures_of_every_mode_keep_their_light_and_dark(mode):
    picture = Image.new("L", (64, 64), 0)
    picture.paste(230, (32, 0, 64, 64))
    if mode == "I;16":
        picture = Image.frombytes(mode, (64, 64), struct.pack("<64H", *([0] * 32 + [230 * 256] * 32)) * 64)
    else:
        picture = picture.convert("RGB").convert(mode) if mode == "CMYK" else picture.convert(mode)
    kept = opened(remake(file_of(picture, "JPEG" if mode == "CMYK" else "PNG")).content)
    dark, light = kept.convert("L").getpixel((5, 5)), kept.convert("L").getpixel((60, 60))
    assert dark < 30 and light > 215


def test_of_several_pictures_in_a_file_the_first_is_kept():
    for format in ("WEBP", "PNG", "MPO", "AVIF"):
        second = Image.new("RGB", (160, 120), "green")
        sent = file_of(parcel(), format, save_all=True, append_images=[second])
        assert is_red(opened(remake(sent).content), (10, 10))


def test_a_ten_bit_heic_is_known_by_its_own_name():
    sent = file_of(parcel(), "HEIF").replace(b"ftypheic", b"ftypheix", 1)
    assert remake(sent).media == "image/jpeg"


def test_colours_are_as_they_were_meant_when_the_profile_is_gone():
    """A profile in which red and blue are exchanged stands for a camera's own colours."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for tag in (b"XYZ", b"TRC"):
        red, blue = profile.index(b"r" + tag, 128), profile.index(b"b" + tag, 128)
        profile[red + 4 : red + 12], profile[blue + 4 : blue + 12] = (
            profile[blue + 4 : blue + 12],
            profile[red + 4 : red + 12],
        )
    for format in ("JPEG", "PNG"):
        kept = opened(remake(file_of(parcel(), format, icc_profile=bytes(profile), quality=95)).content)
        assert "icc_profile" not in kept.info
        assert is_red(kept, (150, 110)) and not is_red(kept, (10, 10))


def test_a_profile_that_is_nonsense_is_as_good_as_none():
    kept = opened(remake(file_of(parcel(), "PNG", icc_profile=b"nonsense")).content)
    assert is_red(kept, (10, 10))


def test_a_large_photograph_is_reduced_and_a_large_png_becomes_a_jpeg():
    sent = file_of(Image.effect_noise((LONGEST + 904, 500), 90), "PNG")
    photo = remake(sent)
    assert (photo.media, photo.width) == ("image/jpeg", LONGEST)
    assert max(opened(photo.thumbnail).size) == THUMBNAIL
    assert len(sent) > MOST_PNG_BYTES


# --- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", PRETENDING.values(), ids=PRETENDING)
def test_what_is_no_photograph_is_refused_by_its_content(content):
    no = refused(content)
    assert no.code == "bad_image" and "JPEG, PNG, WebP, HEIC and AVIF" in no.detail


@pytest.mark.parametrize("format", ["GIF", "BMP", "TIFF"])
def test_other_kinds_of_pictures_are_refused(format):
    assert refused(file_of(parcel(), format)).code == "bad_image"


@pytest.mark.parametrize("beginning", BEGINNINGS.values(), ids=BEGINNINGS)
def test_what_only_begins_like_a_picture_is_refused(beginning):
    assert refused(beginning + b"<script>alert(1)</script>" * 20).code == "bad_image"


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF"])
@pytest.mark.parametrize("part", [0.9, 0.5, 0.1])
def test_a_file_that_is_cut_off_is_refused(format, part):
    whole = file_of(Image.effect_noise((200, 200), 90).convert("RGB"), format)
    assert refused(whole[: int(len(whole) * part)]).code == "bad_image"


def png_of(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG that says it is that large, and holds next to nothing."""
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(1000))
    made = b"\x89PNG\r\n\x1a\n"
    for name, content in ((b"IHDR", head), *chunks, (b"IDAT", rows), (b"IEND", b"")):
        made += struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
    return made


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(("width", "height"), [(MOST_PIXELS // 1000 + 1, 1000), (60_000, 60_000)])
def test_a_bomb_is_refused_before_it_is_unpacked(width, height):
    no = refused(png_of(width, height))
    assert no.code == "image_too_large" and f"{MOST_PIXELS:,}" in no.detail


def test_words_that_unpack_to_too_much_are_refused():
    bomb = b"Comment\x00\x00" + zlib.compress(bytes(200 * 1024 * 1024), 9)
    assert refused(png_of(10, 10, (b"zTXt", bomb))).code == "bad_image"


def test_a_file_of_more_bytes_than_a_photograph_has_is_refused_unread():
    assert refused(bytes(MOST_PHOTO_BYTES + 1)).code == "image_too_large"


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_whatever_bytes_are_damaged_it_is_refused_or_still_a_photograph():
    """Each damage either leaves a picture or is refused; nothing else comes out."""
    for format in ("JPEG", "PNG", "WEBP", "HEIF", "AVIF"):
        whole = file_of(parcel(64, 48), format, exif=camera())
        for at in range(8, len(whole), max(1, len(whole) // 60)):
            try:
                photo = remake(whole[:at] + bytes([whole[at] ^ 0x5A]) + whole[at + 1 :])
            except Refused as no:
                assert no.code in ("bad_image", "image_too_large")
            else:
                assert opened(photo.content).size == (photo.width, photo.height)


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    for name in ("PIL", "pillow_heif", "filetype"):
        monkeypatch.setitem(sys.modules, name, None)
        no = refused(file_of(parcel(), "JPEG")) if name != "PIL" else refused(BEGINNINGS["JPEG"])
        assert no.code == "no_images" and "houbao[images]" in no.detail
        monkeypatch.undo()
    assert photos.remake(file_of(parcel(), "JPEG")).media == "image/jpeg"
