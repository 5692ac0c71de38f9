"""What a clerk can do about a photograph that is not good enough: stable codes with one plain sentence each."""

from enum import StrEnum


class Advice(StrEnum):
    """The codes; `text` is the sentence to show."""

    MOVE_CLOSER = "move_closer"
    MOVE_BACK = "move_back"
    CENTRE_THE_FACE = "centre_the_face"
    ONE_PERSON_ONLY = "one_person_only"
    FACE_THE_CAMERA = "face_the_camera"
    HOLD_HEAD_UPRIGHT = "hold_head_upright"
    MORE_LIGHT = "more_light"
    LESS_LIGHT = "less_light"
    LIGHT_FROM_THE_FRONT = "light_from_the_front"
    HOLD_STILL = "hold_still"
    PLAIN_BACKGROUND = "plain_background"
    CHECK_THE_COLOURS = "check_the_colours"
    SEND_THE_ORIGINAL = "send_the_original"
    LIVE_PERSON = "live_person"

    @property
    def text(self) -> str:
        """One sentence in plain English, addressed to whoever takes the photograph."""
        return _TEXTS[self]


_TEXTS = {
    Advice.MOVE_CLOSER: "Move closer: the face is too small in the picture.",
    Advice.MOVE_BACK: "Move back a little: the head fills too much of the picture.",
    Advice.CENTRE_THE_FACE: "Centre the face: leave room on every side of the head.",
    Advice.ONE_PERSON_ONLY: "Only one person may be in the picture.",
    Advice.FACE_THE_CAMERA: "Look straight into the camera.",
    Advice.HOLD_HEAD_UPRIGHT: "Hold the head upright.",
    Advice.MORE_LIGHT: "There is too little light on the face.",
    Advice.LESS_LIGHT: "There is too much light on the face.",
    Advice.LIGHT_FROM_THE_FRONT: "Light the face from the front, the same on both sides.",
    Advice.HOLD_STILL: "Hold still and let the camera focus: the picture is blurred.",
    Advice.PLAIN_BACKGROUND: "Use a plain background.",
    Advice.CHECK_THE_COLOURS: "Check the colours: the camera or the light may be tinted.",
    Advice.SEND_THE_ORIGINAL: "Send the camera's own picture: this one has been compressed too much.",
    Advice.LIVE_PERSON: "Take the picture of the person, not of a print or a screen.",
}
