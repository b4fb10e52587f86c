"""Hand-made looks at clips, so that what is right is known."""

from collections.abc import Callable, Sequence

from videolab_assets.lib.documents import Word
from videolab_assets.lib.reframe import Box, Sample, Seen

LANDSCAPE, PORTRAIT = 16 / 9, 9 / 16
UPRIGHT, SQUARE = 9 / 16, 1.0


def face(middle: float, down: float = 0.4, width: float = 0.08) -> Box:
    """A face by its middle; as high as wide in a landscape frame."""
    height = width * LANDSCAPE
    return Box(middle - width / 2, down - height / 2, width, height)


def seen(seconds: float, *middles: Callable[[float], float | None], aspect: float = LANDSCAPE, picture: Box | None = None) -> Seen:
    """Five samples a second with a face at each of `middles` of the time, or none where that is None."""
    samples = []
    for number in range(round(seconds * 5)):
        places = [place for middle in middles if (place := middle(number / 5)) is not None]
        samples.append(Sample(number / 5, faces=[face(place) for place in places], sharpness=100.0))
    return Seen(aspect, samples, picture) if picture else Seen(aspect, samples)


def words(*spans: tuple[float, float]) -> list[Word]:
    return [Word(text="word", start=start, end=end, confidence=1.0) for start, end in spans]


def moments(seconds: float, make: Callable[[float], Sample]) -> Seen:
    return Seen(LANDSCAPE, [make(number / 5) for number in range(round(seconds * 5))])


def people(boxes: Sequence[Box]) -> Callable[[float], Sample]:
    return lambda time: Sample(time, people=list(boxes))
