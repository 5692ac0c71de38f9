"""The inside of a capture comes out as it went in, and nothing else is taken for one."""

import pytest

from enrolment.station.capture_package import CapturePackage, unpacked
from idverify.errors import InvalidInput


def test_frames_and_what_is_said_of_them_come_out_as_they_went_in() -> None:
    capture = CapturePackage({"person": "P-77"}, (b"one", b"second"))
    assert unpacked(capture.packed()) == capture


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\x00\x00\x02{}",
        b"\x00\x00\x00\x02[]",
        b"\xff\xff\xff\xff{}",
        b'\x00\x00\x00\x0e{"frames": []}',
        b'\x00\x00\x00\x0f{"frames": [2]}a',
        b'\x00\x00\x00\x0f{"frames": [1]}ab',
        b'\x00\x00\x00\x10{"frames": [-1]}',
        b'\x00\x00\x00\x12{"frames": [true]}a',
        b'\x00\x00\x00\x10{"frames": "a"}a ',
        CapturePackage({}, (b"x",) * 6).packed(),
    ],
)
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput):
        unpacked(content)
