"""What a look at a clip found, moment by moment."""

from dataclasses import dataclass, field

from videolab_assets.lib.reframe.boxes import Box

WHOLE = Box(0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class Sample:
    """One moment.

    Attributes:
        time: seconds of the clip.
        faces: those that several moments agree on, between two of which a face may be only reckoned.
        mouths: for each face, how much more its lower half changed since the moment before than its upper half; 0 for no more, about
            1 for a mouth that opens. A hint at who speaks, no more.
        people: likewise, from head to foot; looked for only while there are no faces.
        motion: what moves, the camera's own movement taken out; None where nothing or everything does.
        saliency: what stands out of the picture; None in a flat one.
        wide_text: lines of text.
        sharpness: variance of the Laplacian of the luma at 480 pixels on the longer side.
        brightness: mean luma, 0..1.
    """

    time: float
    faces: list[Box] = field(default_factory=list)
    people: list[Box] = field(default_factory=list)
    motion: Box | None = None
    saliency: Box | None = None
    wide_text: list[Box] = field(default_factory=list)
    sharpness: float = 0.0
    brightness: float = 0.5
    mouths: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Seen:
    """A look at a whole clip.

    Attributes:
        aspect: width over height of the displayed frame.
        samples: in order of time, about five a second.
        picture: the frame without black bars that stay throughout.
    """

    aspect: float
    samples: list[Sample]
    picture: Box = WHOLE
