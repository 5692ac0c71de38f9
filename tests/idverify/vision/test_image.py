"""What may enter as a photograph, and what is turned away before a decoder sees it."""

import struct
import zlib
from io import BytesIO

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image as Pillow
from PIL import ImageOps

from idverify.errors import ImageCorrupt, ImageFormatUnsupported, ImageRejected, ImageTooLarge, ImageTooSmall
from idverify.vision.image import Image, ImageLimits, decode

SIDES = (300, 220)


@pytest.fixture(scope="module")
def picture() -> Pillow.Image:
    """Noise on a gradient, every corner another colour: a wrong orientation cannot look right."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[0 : SIDES[1], 0 : SIDES[0]]
    base = np.stack([x * 255 / SIDES[0], y * 255 / SIDES[1], 255 - x * 255 / SIDES[0]], axis=-1)
    return Pillow.fromarray(np.clip(base + rng.normal(0, 12, base.shape), 0, 255).astype(np.uint8))


def encoded(picture: Pillow.Image, kind: str = "jpeg", **options: object) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def with_orientation(picture: Pillow.Image, orientation: int, kind: str) -> bytes:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    return encoded(picture, kind, exif=exif)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(*chunks: bytes) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + chunk(b"IEND", b"")


def ihdr(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))


def as_rgb(data: bytes) -> npt.NDArray[np.uint8]:
    return np.asarray(ImageOps.exif_transpose(Pillow.open(BytesIO(data))).convert("RGB"))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_every_exif_orientation_is_applied_once(picture: Pillow.Image, orientation: int, kind: str) -> None:
    data = with_orientation(picture, orientation, kind)
    decoded, expected = decode(data).pixels, as_rgb(data)
    assert decoded.shape == expected.shape
    assert int(np.abs(decoded.astype(int) - expected).max()) <= (3 if kind == "jpeg" else 0)


def test_a_decoded_picture_is_read_only_and_does_not_print_its_pixels(picture: Pillow.Image) -> None:
    image = decode(encoded(picture))
    with pytest.raises(ValueError, match="read-only"):
        image.pixels[0, 0] = 0
    assert repr(image) == "Image(jpeg, 300 x 220, pixels withheld)"


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA"])
def test_grey_and_opaque_alpha_become_rgb(picture: Pillow.Image, mode: str) -> None:
    assert np.array_equal(
        decode(encoded(picture.convert(mode), "png")).pixels, as_rgb(encoded(picture.convert(mode), "png"))
    )


def test_a_grey_jpeg_becomes_rgb(picture: Pillow.Image) -> None:
    pixels = decode(encoded(picture.convert("L"))).pixels
    assert pixels.shape == (220, 300, 3)
    assert (pixels[..., 0] == pixels[..., 2]).all()


@pytest.mark.parametrize("quality", [20, 50, 75, 90, 95])
def test_jpeg_quality_is_read_from_the_quantisation_table(picture: Pillow.Image, quality: int) -> None:
    estimate = decode(encoded(picture, quality=quality)).jpeg_quality
    assert estimate is not None
    assert abs(estimate - quality) <= 1


def test_a_png_has_no_jpeg_quality(picture: Pillow.Image) -> None:
    assert decode(encoded(picture, "png")).jpeg_quality is None


@pytest.mark.parametrize("kind", ["baseline", "progressive", "png"])
def test_a_file_cut_short_anywhere_is_corrupt(picture: Pillow.Image, kind: str) -> None:
    small = picture.resize((200, 200))
    data = encoded(small, "png") if kind == "png" else encoded(small, progressive=kind == "progressive")
    for length in range(12, len(data), 97):
        with pytest.raises(ImageCorrupt):
            decode(data[:length])
    for length in range(len(data) - 40, len(data)):
        with pytest.raises(ImageCorrupt):
            decode(data[:length])


@pytest.mark.parametrize("progressive", [False, True])
def test_an_end_marker_put_after_half_the_data_does_not_hide_the_cut(picture: Pillow.Image, progressive: bool) -> None:
    data = encoded(picture, progressive=progressive)
    for share in (0.2, 0.5, 0.7):
        with pytest.raises(ImageCorrupt):
            decode(data[: int(len(data) * share)] + b"\xff\xd9")


def test_a_whole_picture_that_ends_in_mid_grey_is_accepted() -> None:
    grey = Pillow.new("RGB", (256, 256), (128, 128, 128))
    assert (decode(encoded(grey)).pixels == 128).all()


def test_an_end_marker_inside_the_exif_thumbnail_is_not_the_end(picture: Pillow.Image) -> None:
    data = encoded(picture)
    thumbnail = encoded(picture.resize((64, 48)))
    body = b"Exif\0\0" + b"II*\0\x08\0\0\0\0\0\0\0\0\0" + thumbnail
    data = data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:]
    assert decode(data).width_px == SIDES[0]


@pytest.mark.parametrize("kind", ["jpeg", "png"])
@pytest.mark.parametrize("tail", [b"\0", b"<script>", b"\xff\xd9"])
def test_nothing_may_follow_the_end_marker(picture: Pillow.Image, kind: str, tail: bytes) -> None:
    with pytest.raises(ImageCorrupt, match="after the end"):
        decode(encoded(picture, kind) + tail)


@pytest.mark.parametrize("kind", ["GIF", "BMP", "WEBP", "TIFF"])
def test_other_formats_are_not_taken(picture: Pillow.Image, kind: str) -> None:
    with pytest.raises(ImageFormatUnsupported):
        decode(encoded(picture, kind))


@pytest.mark.parametrize("data", [b"", b"\xff", b"\xff\xd8", b"\x89PNG", b"%PDF-1.7", bytes(1000)])
def test_what_is_no_picture_is_not_taken(data: bytes) -> None:
    with pytest.raises(ImageFormatUnsupported):
        decode(data)


@pytest.mark.parametrize("marker", [0xC3, 0xC5, 0xC9, 0xCA, 0xCF])
def test_rare_jpeg_codings_are_not_taken(picture: Pillow.Image, marker: int) -> None:
    data = encoded(picture)
    start = data.index(b"\xff\xc0")
    with pytest.raises(ImageFormatUnsupported):
        decode(data[: start + 1] + bytes([marker]) + data[start + 2 :])


def test_a_cmyk_jpeg_is_not_taken(picture: Pillow.Image) -> None:
    with pytest.raises(ImageFormatUnsupported):
        decode(encoded(picture.convert("CMYK")))


@pytest.mark.parametrize(
    ("depth", "colour"), [(16, 2), (8, 3), (1, 0), (4, 3)], ids=["16 bit", "palette", "1 bit", "4-bit palette"]
)
def test_png_kinds_that_no_camera_makes_are_not_taken(depth: int, colour: int) -> None:
    with pytest.raises(ImageFormatUnsupported):
        decode(png(ihdr(300, 300, depth, colour), chunk(b"IDAT", zlib.compress(b"\0"))))


def test_a_transparent_png_is_not_taken(picture: Pillow.Image) -> None:
    see_through = picture.copy()
    see_through.putalpha(Pillow.linear_gradient("L").resize(SIDES))
    with pytest.raises(ImageFormatUnsupported, match="transparent"):
        decode(encoded(see_through, "png"))


def test_an_animation_is_not_taken(picture: Pillow.Image) -> None:
    data = encoded(picture, "png", save_all=True, append_images=[picture.rotate(90)])
    with pytest.raises(ImageFormatUnsupported, match="animation"):
        decode(data)


def test_a_flipped_bit_in_a_png_is_noticed(picture: Pillow.Image) -> None:
    data = bytearray(encoded(picture, "png"))
    data[len(data) // 2] ^= 1
    with pytest.raises(ImageCorrupt, match="check sum"):
        decode(bytes(data))


def test_a_png_whose_data_ends_early_is_corrupt() -> None:
    rows = zlib.compress(bytes(300 * 901))
    with pytest.raises(ImageCorrupt):
        decode(png(ihdr(300, 300), chunk(b"IDAT", rows[: len(rows) // 2])))
    with pytest.raises(ImageCorrupt):
        decode(png(ihdr(300, 300), chunk(b"IDAT", zlib.compress(bytes(100 * 901)))))


def test_a_tiny_file_that_claims_a_huge_picture_is_stopped_before_the_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    def decoder(*_: object) -> None:
        raise AssertionError("the decoder was asked")

    monkeypatch.setattr(cv2, "imdecode", decoder)
    with pytest.raises(ImageTooLarge):
        decode(png(ihdr(30_000, 30_000), chunk(b"IDAT", zlib.compress(b"\0"))))


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [(199, 400, ImageTooSmall), (400, 199, ImageTooSmall), (6001, 300, ImageTooLarge), (5100, 5100, ImageTooLarge)],
)
def test_sides_and_area_have_limits(width: int, height: int, expected: type[ImageRejected]) -> None:
    with pytest.raises(expected):
        decode(encoded(Pillow.new("L", (width, height)), "png"))


def test_the_smallest_and_the_longest_picture_pass() -> None:
    assert decode(encoded(Pillow.new("L", (6000, 200)), "png")).width_px == 6000


def test_more_bytes_than_the_cap_are_refused_unread() -> None:
    with pytest.raises(ImageTooLarge, match="at most 1000 bytes"):
        decode(bytes(1001), ImageLimits(max_bytes=1000))


def test_bytes_that_were_shuffled_never_do_worse_than_a_rejection(picture: Pillow.Image) -> None:
    rng = np.random.default_rng(3)
    for kind in ("jpeg", "png"):
        good = np.frombuffer(encoded(picture.resize((200, 200)), kind), np.uint8)
        for _ in range(150):
            bad = good.copy()
            bad[rng.integers(0, min(len(bad), 700), 3)] = rng.integers(0, 256, 3)
            try:
                image = decode(bad.tobytes())
            except ImageRejected:
                continue
            assert isinstance(image, Image)


def test_halving_averages_and_is_done_once() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (64, 48, 3), dtype=np.uint8)
    image = Image(pixels, "png", None)
    means = pixels.reshape(32, 2, 24, 2, 3).mean(axis=(1, 3))
    assert np.abs(image.halved(1) - means).max() <= 0.5
    assert image.halved(2).shape == (16, 12, 3)
    assert image.halved(2) is image.halved(2)
    assert image.halved(0) is pixels
