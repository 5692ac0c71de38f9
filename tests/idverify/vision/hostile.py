"""Photographs that nobody should send: over 150 kinds of hostile or broken file, each with what must become of it."""

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image as Pillow

from idverify.errors import ImageCorrupt, ImageFormatUnsupported, ImageRejected, ImageTooLarge, ImageTooSmall

WIDTH_PX, HEIGHT_PX = 320, 240
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
ZIP = b"PK\x03\x04\x14\0\0\0\0\0" + bytes(20) + b"PK\x05\x06" + bytes(18)
SCRIPT = b"<script>alert(document.domain)</script>"


@dataclass(frozen=True, slots=True)
class Hostile:
    """`refused` is the documented error; None: odd but harmless, and taken for the picture that it is."""

    name: str
    data: bytes
    refused: type[ImageRejected] | None


def scene(width_px: int = WIDTH_PX, height_px: int = HEIGHT_PX) -> Pillow.Image:
    """Noise on a gradient."""
    y, x = np.mgrid[0:height_px, 0:width_px]
    base = np.stack([x * 255 / width_px, y * 255 / height_px, 255 - x * 255 / width_px], axis=-1)
    noise = np.random.default_rng(7).normal(0, 12, base.shape)
    return Pillow.fromarray(np.clip(base + noise, 0, 255).astype(np.uint8))


def encoded(picture: Pillow.Image, kind: str = "jpeg", **options: object) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def chunk(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def ihdr(
    width: int = WIDTH_PX,
    height: int = HEIGHT_PX,
    depth: int = 8,
    colour: int = 2,
    rest: tuple[int, int, int] = (0, 0, 0),
) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, *rest))


def rows(channels: int = 3, height: int = HEIGHT_PX, filtering: int = 0) -> bytes:
    """A flat picture, uncompressed, as PNG filters it."""
    return (bytes([filtering]) + bytes([90]) * WIDTH_PX * channels) * height


def png(*chunks: bytes, end: bytes = chunk(b"IEND")) -> bytes:
    return PNG_MAGIC + b"".join(chunks) + end


def flat_png(*between: bytes, data: bytes | None = None) -> bytes:
    """A whole picture with these chunks between its header and its data."""
    return png(ihdr(), *between, chunk(b"IDAT", zlib.compress(rows()) if data is None else data))


def bomb(mebibytes: int) -> bytes:
    """A zlib stream that inflates a thousandfold."""
    packer = zlib.compressobj(9)
    zeros = bytes(1024 * 1024)
    return b"".join(packer.compress(zeros) for _ in range(mebibytes)) + packer.flush()


def exif(body: bytes) -> bytes:
    return segment(0xE1, b"Exif\0\0" + body)


def orientation_entry(kind: int, count: int, value: int) -> bytes:
    return b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 0x0112, kind, count, value) + bytes(4)


class Jpeg:
    """A good baseline file, to be cut up at its markers."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.frame = next(data.index(bytes([0xFF, each])) for each in (0xC0, 0xC2) if bytes([0xFF, each]) in data)
        self.scan = data.index(b"\xff\xda")
        self.entropy = self.scan + 2 + int.from_bytes(data[self.scan + 2 : self.scan + 4], "big")

    def put(self, offset: int, *values: int) -> bytes:
        """Other bytes at this place."""
        return self.data[:offset] + bytes(values) + self.data[offset + len(values) :]

    def insert(self, offset: int, content: bytes) -> bytes:
        return self.data[:offset] + content + self.data[offset:]

    def without(self, marker: int) -> bytes:
        """Every segment of this kind before the scan taken out."""
        kept, position = self.data[:2], 2
        while position < self.scan:
            end = position + 2 + int.from_bytes(self.data[position + 2 : position + 4], "big")
            kept += b"" if self.data[position + 1] == marker else self.data[position:end]
            position = end
        return kept + self.data[position:]

    def start_of(self, marker: int) -> int:
        return self.data.index(bytes([0xFF, marker]))

    def with_scan_data(self, entropy: bytes) -> bytes:
        return self.data[: self.entropy] + entropy + b"\xff\xd9"

    def sized(self, width: int, height: int) -> bytes:
        return self.put(self.frame + 5, *struct.pack(">HH", height, width))


def jpegs() -> Iterator[tuple[str, bytes, type[ImageRejected] | None]]:
    good = Jpeg(encoded(scene(), quality=85))
    data, frame, scan, entropy = good.data, good.frame, good.scan, good.entropy
    progressive = encoded(scene(), progressive=True)
    middle = (entropy + len(data)) // 2
    corrupt, unsupported = ImageCorrupt, ImageFormatUnsupported

    yield "jpeg: the start marker alone", data[:3], corrupt
    yield "jpeg: cut in the tables", data[:100], corrupt
    yield "jpeg: cut in the scan", data[:middle], corrupt
    yield "jpeg: without its end marker", data[:-2], corrupt
    yield "jpeg: half the scan, then an end marker", data[:middle] + b"\xff\xd9", corrupt
    yield (
        "jpeg: half a progressive file, then an end marker",
        progressive[: len(progressive) // 2] + b"\xff\xd9",
        corrupt,
    )
    yield "jpeg: no scan data at all", good.with_scan_data(b""), corrupt
    yield "jpeg: one byte behind the end", data + b"\0", corrupt
    yield "jpeg: a script behind the end", data + SCRIPT, corrupt
    yield "jpeg: a second photograph behind the end", data + data, corrupt
    yield "jpeg: a ZIP behind the end", data + ZIP, corrupt
    yield "jpeg: a PDF behind the end", data + b"%PDF-1.7\n1 0 obj\nendobj\ntrailer\n%%EOF", corrupt
    yield "jpeg: a PNG behind the end", data + flat_png(), corrupt
    yield "jpeg: a ZIP in a comment", good.insert(2, segment(0xFE, ZIP)), None
    yield "jpeg: a script in a comment", good.insert(2, segment(0xFE, SCRIPT)), None
    yield "jpeg: a thousand fill bytes before a marker", good.insert(2, b"\xff" * 1000), None
    yield "jpeg: 12 bits", good.put(frame + 4, 12), unsupported
    yield "jpeg: 16 bits", good.put(frame + 4, 16), unsupported
    yield "jpeg: lossless", good.put(frame + 1, 0xC3), unsupported
    yield "jpeg: hierarchical", good.put(frame + 1, 0xC5), unsupported
    yield "jpeg: arithmetic coding", good.put(frame + 1, 0xC9), unsupported
    yield "jpeg: progressive arithmetic coding", good.put(frame + 1, 0xCA), unsupported
    yield "jpeg: arithmetic conditioning", good.insert(frame, segment(0xCC, b"\0\1")), unsupported
    yield "jpeg: a hierarchy header", good.insert(frame, segment(0xDE, bytes(6))), unsupported
    yield "jpeg: the height after the scan", good.data[:-2] + segment(0xDC, b"\0\xf0") + b"\xff\xd9", unsupported
    yield "jpeg: CMYK", encoded(scene().convert("CMYK")), unsupported
    yield (
        "jpeg: YCCK",
        Jpeg(encoded(scene().convert("CMYK"))).insert(2, segment(0xEE, b"Adobe\0d\0\0\0\0\2")),
        unsupported,
    )
    yield "jpeg: two components", good.put(frame + 9, 2), unsupported
    yield "jpeg: 255 components", good.put(frame + 9, 255), unsupported
    yield "jpeg: two components of one name", good.put(frame + 13, data[frame + 10]), corrupt
    yield "jpeg: no width", good.sized(0, HEIGHT_PX), corrupt
    yield "jpeg: no height", good.sized(WIDTH_PX, 0), corrupt
    yield "jpeg: claims 65,535 x 65,535", good.sized(65535, 65535), ImageTooLarge
    yield "jpeg: one pixel too wide", good.sized(6001, 300), ImageTooLarge
    yield "jpeg: too many pixels", good.sized(5100, 5100), ImageTooLarge
    yield "jpeg: a thumbnail", encoded(scene(199, 300)), ImageTooSmall
    yield "jpeg: claims 1 x 1", good.sized(1, 1), ImageTooSmall
    yield "jpeg: claims 24 megapixels, has 0.08", good.sized(6000, 4000), corrupt
    yield "jpeg: claims twice its height", good.sized(WIDTH_PX, 2 * HEIGHT_PX), corrupt
    yield "jpeg: two frame headers", good.insert(frame, data[frame : frame + 19]), corrupt
    yield "jpeg: no frame header", data[:frame] + data[frame + 19 :], corrupt
    yield "jpeg: a frame header of four bytes", good.insert(frame, segment(0xC0, b"\x08\0\0\0")), corrupt
    yield "jpeg: nothing but an end marker", b"\xff\xd8\xff\xd9", corrupt
    yield "jpeg: a segment of length 0", good.insert(2, b"\xff\xfe\0\0"), corrupt
    yield "jpeg: a segment of length 1", good.insert(2, b"\xff\xfe\0\1"), corrupt
    yield "jpeg: a segment longer than the file", good.insert(2, b"\xff\xfe\xff\xff"), corrupt
    yield "jpeg: a restart marker between segments", good.insert(2, b"\xff\xd0"), corrupt
    yield "jpeg: a million empty comments", good.insert(2, b"\xff\xfe\0\2" * 1_000_000), corrupt
    yield "jpeg: three hundred thousand scans", good.insert(scan, (data[scan:entropy]) * 300_000), corrupt
    yield "jpeg: no quantisation table", good.without(0xDB), corrupt
    yield "jpeg: a quantisation table of two bytes", good.insert(2, segment(0xDB, b"\0\1")), corrupt
    yield "jpeg: codes that overlap", good.put(good.start_of(0xC4) + 5, *[255] * 16), corrupt
    yield "jpeg: a Huffman table that runs over its segment", good.put(good.start_of(0xC4) + 5, *[0] * 15, 255), corrupt
    yield "jpeg: a Huffman table numbered 9", good.put(good.start_of(0xC4) + 4, 9), corrupt
    yield "jpeg: sampling factor 0", good.put(frame + 11, 0), corrupt
    yield "jpeg: sampling factor 15", good.put(frame + 11, 0xFF), corrupt
    yield "jpeg: a table that was never sent", good.put(frame + 12, 3), corrupt
    yield "jpeg: a scan of an unknown component", good.put(scan + 5, 77), corrupt
    yield "jpeg: a scan of four components", good.put(scan + 4, 4), corrupt
    yield "jpeg: a scan that ends before it begins", good.put(entropy - 3, 5, 2), corrupt
    yield "jpeg: a scan of one coefficient", good.put(entropy - 3, 0, 0), corrupt
    yield "jpeg: a scan beyond the last coefficient", good.put(entropy - 3, 0, 64), corrupt
    yield "jpeg: EXIF orientation 0", good.insert(2, exif(orientation_entry(3, 1, 0))), None
    yield "jpeg: EXIF orientation 9", good.insert(2, exif(orientation_entry(3, 1, 9))), None
    yield "jpeg: EXIF orientation as text", good.insert(2, exif(orientation_entry(2, 1, 6))), None
    yield "jpeg: four thousand million orientations", good.insert(2, exif(orientation_entry(3, 0xFFFFFFFF, 6))), None
    yield "jpeg: an EXIF directory that is its own next", good.insert(2, exif(b"II*\0\x08\0\0\0\0\0\x08\0\0\0")), None
    yield (
        "jpeg: an EXIF directory of 65,535 entries",
        good.insert(2, exif(b"MM\0*\0\0\0\x08\xff\xff" + bytes(40))),
        None,
    )
    yield "jpeg: an EXIF directory far away", good.insert(2, exif(b"II*\0\xff\xff\xff\xff")), None
    yield "jpeg: EXIF of two bytes", good.insert(2, exif(b"II")), None
    yield (
        "jpeg: a colour profile of noise",
        good.insert(2, segment(0xE2, b"ICC_PROFILE\0\1\1" + bytes(range(256)))),
        None,
    )
    yield (
        "jpeg: part 9 of a colour profile of 3",
        good.insert(2, segment(0xE2, b"ICC_PROFILE\0\x09\3" + bytes(64))),
        None,
    )
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>'
    yield (
        "jpeg: a billion laughs in XMP",
        good.insert(2, segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + laughs)),
        None,
    )


def pngs() -> Iterator[tuple[str, bytes, type[ImageRejected] | None]]:
    corrupt, unsupported = ImageCorrupt, ImageFormatUnsupported
    whole = zlib.compress(rows())
    good, idat = flat_png(), chunk(b"IDAT", whole)
    yield "png: the signature alone", PNG_MAGIC, corrupt
    yield "png: a signature that went through a text channel", good.replace(b"\r\n", b"\n", 1), unsupported
    yield "png: without its end chunk", png(ihdr(), idat, end=b""), corrupt
    yield "png: cut in its end chunk", good[:-3], corrupt
    yield "png: an end chunk with data", png(ihdr(), idat, end=chunk(b"IEND", SCRIPT)), None
    yield "png: one byte behind the end", good + b"\0", corrupt
    yield "png: a second picture behind the end", good + good, corrupt
    yield "png: a ZIP behind the end", good + ZIP, corrupt
    yield "png: a wrong check sum", good[:29] + b"\0\0\0\0" + good[33:], corrupt
    yield "png: a chunk of 4 GiB", PNG_MAGIC + b"\xff\xff\xff\xffIHDR" + good[16:], corrupt
    yield "png: a chunk of 2 GiB", png(ihdr(), b"\x80\0\0\0tEXt"), corrupt
    yield "png: no header", png(idat), corrupt
    yield "png: a late header", png(chunk(b"tEXt", b"a\0b"), ihdr(), idat), corrupt
    yield "png: two headers", png(ihdr(), ihdr(), idat), corrupt
    yield "png: a header of 12 bytes", png(chunk(b"IHDR", bytes(12)), idat), corrupt
    yield "png: no width", png(ihdr(0), idat), corrupt
    yield "png: claims 2^31 x 2^31", png(ihdr(2**31, 2**31), idat), ImageTooLarge
    yield "png: claims 30,000 x 30,000", png(ihdr(30_000, 30_000), idat), ImageTooLarge
    yield "png: claims 6,001 x 300", png(ihdr(6001, 300), idat), ImageTooLarge
    yield "png: a thumbnail", png(ihdr(64, 64), idat), ImageTooSmall
    yield "png: claims 24 megapixels, has 0.08", png(ihdr(6000, 4000), idat), corrupt
    yield "png: 16 bits", png(ihdr(depth=16), idat), unsupported
    yield "png: 1 bit", png(ihdr(depth=1, colour=0), idat), unsupported
    yield "png: 3 bits", png(ihdr(depth=3), idat), unsupported
    yield "png: colour type 7", png(ihdr(colour=7), idat), unsupported
    yield "png: a palette", encoded(scene().convert("P"), "png"), unsupported
    yield "png: a palette that is missing", png(ihdr(colour=3), chunk(b"IDAT", zlib.compress(rows(1)))), unsupported
    yield "png: an unknown compression", png(ihdr(rest=(1, 0, 0)), idat), corrupt
    yield "png: an unknown filter method", png(ihdr(rest=(0, 1, 0)), idat), corrupt
    yield "png: an unknown interlacing", png(ihdr(rest=(0, 0, 2)), idat), corrupt
    yield "png: interlacing that the data has not", png(ihdr(rest=(0, 0, 1)), chunk(b"IDAT", whole[:-30])), corrupt
    yield "png: an animation", encoded(scene(), "png", save_all=True, append_images=[scene()]), unsupported
    yield "png: an animation of 4,294,967,295 frames", flat_png(chunk(b"acTL", b"\xff" * 8)), unsupported
    yield "png: a frame without an animation", flat_png(chunk(b"fcTL", bytes(26))), unsupported
    yield "png: frame data without an animation", flat_png(chunk(b"fdAT", bytes(8))), unsupported
    yield "png: a transparent colour", flat_png(chunk(b"tRNS", bytes(6))), unsupported
    faded = scene().copy()
    faded.putalpha(Pillow.linear_gradient("L").resize((WIDTH_PX, HEIGHT_PX)))
    yield "png: half transparent", encoded(faded, "png"), unsupported
    yield "png: no data", png(ihdr()), corrupt
    yield "png: empty data", flat_png(data=b""), corrupt
    yield "png: data in two places", png(ihdr(), idat, chunk(b"tEXt", b"a\0b"), idat), corrupt
    yield "png: data that is no zlib stream", flat_png(data=bytes(range(256))), corrupt
    yield "png: data that is a JPEG", flat_png(data=encoded(scene())), corrupt
    yield "png: data that ends in the middle", flat_png(data=whole[: len(whole) // 2]), corrupt
    yield "png: a whole stream with too few rows", flat_png(data=zlib.compress(rows(height=100))), corrupt
    yield "png: an unknown row filter", flat_png(data=zlib.compress(rows(filtering=9))), corrupt
    yield "png: a stored block of false length", flat_png(data=b"\x78\x01\x01\xff\xff\x00\x00" + bytes(50)), corrupt
    yield "png: a preset dictionary", flat_png(data=b"\x78\xbb" + whole[2:]), corrupt
    yield "png: a critical chunk of nobody's", flat_png(chunk(b"ABCD", b"x")), corrupt
    yield "png: 300,000 empty chunks", flat_png(chunk(b"teSt") * 300_000), corrupt
    yield "png: an unknown harmless chunk", flat_png(chunk(b"teSt", SCRIPT)), None
    yield "png: gamma 0", flat_png(chunk(b"gAMA", bytes(4))), None
    yield "png: a palette in an RGB picture", flat_png(chunk(b"PLTE", bytes(range(9)))), None
    yield "png: a profile of noise", flat_png(chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(range(256))))), None
    yield "png: EXIF that is its own next", flat_png(chunk(b"eXIf", b"II*\0\x08\0\0\0\0\0\x08\0\0\0")), None
    yield "png: a text that inflates to 100 MiB", flat_png(chunk(b"zTXt", b"x\0\0" + bomb(100))), None
    yield "png: a profile that inflates to 100 MiB", flat_png(chunk(b"iCCP", b"x\0\0" + bomb(100))), None


def others() -> Iterator[tuple[str, bytes, type[ImageRejected] | None]]:
    yield "more bytes than the cap", encoded(scene()) + bytes(5 * 1024 * 1024), ImageTooLarge
    picture = scene()
    for kind in ("gif", "bmp", "webp", "tiff", "ppm", "ico", "jpeg2000"):
        yield kind.upper(), encoded(picture, kind), ImageFormatUnsupported
    starts = {
        "nothing": b"",
        "one byte": b"\xff",
        "zeros": b"",
        "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        "AVIF": b"\0\0\0\x1cftypavif\0\0\0\0avifmif1",
        "MP4": b"\0\0\0\x18ftypmp42\0\0\0\0",
        "JPEG XL": b"\0\0\0\x0cJXL \r\n\x87\n",
        "SVG": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        "HTML": b"<!doctype html>" + SCRIPT,
        "PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
        "ZIP": ZIP,
        "gzip": b"\x1f\x8b\x08\0",
        "PSD": b"8BPS\0\1",
        "OpenEXR": b"v/1\x01\x02\0\0\0",
        "Radiance": b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 300 +X 300\n",
        "ELF": b"\x7fELF\x02\x01\x01",
        "a JPEG behind a line break": b"\n" + encoded(picture),
        "a PNG behind a byte order mark": b"\xef\xbb\xbf" + flat_png(),
        "a JPEG in base64": b"/9j/4AAQSkZJRgABAQ",
        "a GIF that is a PNG": b"GIF89a" + flat_png(),
    }
    for name, start in starts.items():
        yield name, start + (bytes(1000) if len(start) > 1 or name == "zeros" else b""), ImageFormatUnsupported


def corpus() -> list[Hostile]:
    """Every kind, each made anew."""
    sources: tuple[Callable[[], Iterator[tuple[str, bytes, type[ImageRejected] | None]]], ...] = (jpegs, pngs, others)
    return [Hostile(*each) for source in sources for each in source()]
