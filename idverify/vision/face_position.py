"""Says whether a face lies whole in its photograph and has pixels enough. It measures no quality."""

from idverify.reasons import Reason
from idverify.vision.detector import Face
from idverify.vision.image import Image

# The eyes are 35 px apart in the embedder's crop: below this, two of three of its pixels would be interpolated.
MIN_EYE_DISTANCE_PX = 20.0
# A face is cut by the border when more than this share of its box lies outside, or a landmark is nearer to the border
# than this many eye distances. The second is needed because the detector draws a cut face's box around what it sees.
MAX_SHARE_OUTSIDE = 0.15
MIN_LANDMARK_MARGIN = 0.25


def refused_position(image: Image, face: Face) -> Reason | None:
    """FACE_AT_EDGE when the picture cuts the face, FACE_TOO_SMALL when it has too few pixels, None when neither."""
    x, y, width, height = face.box
    inside_width = min(x + width, image.width_px) - max(x, 0.0)
    inside_height = min(y + height, image.height_px) - max(y, 0.0)
    outside = 1 - max(inside_width, 0.0) * max(inside_height, 0.0) / face.area_px
    margin = min(
        min(point.real, point.imag, image.width_px - point.real, image.height_px - point.imag) for point in face.points
    )
    if outside > MAX_SHARE_OUTSIDE or margin < MIN_LANDMARK_MARGIN * face.eye_distance_px:
        return Reason.FACE_AT_EDGE
    return Reason.FACE_TOO_SMALL if face.eye_distance_px < MIN_EYE_DISTANCE_PX else None
