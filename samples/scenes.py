"""The sample video's pictures: seven drawn scenes, each a function from seconds to one RGB frame.

Every `scene` function paints what never moves once and returns a painter that adds what moves, so that a frame costs a few
milliseconds. Nothing is random from run to run: the same code draws the same frames.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 1280, 720

Frame = NDArray[np.uint8]
Colour = tuple[int, int, int]
Point = tuple[float, float]
Painter = Callable[[float], Frame]

SUBPIXEL_BITS = 4
INK: Colour = (62, 52, 46)
LAMP: Colour = (255, 228, 160)
CREAM: Colour = (250, 243, 228)


def gradient(stops: Sequence[tuple[float, Colour]], height: int = HEIGHT, seed: int = 1) -> Frame:
    """A vertical gradient through `(0..1, colour)` stops, dithered so that eight bits show no bands."""
    rows = np.linspace(0, 1, height)
    at = [stop for stop, _ in stops]
    columns = [np.interp(rows, at, [colour[channel] for _, colour in stops]) for channel in range(3)]
    smooth = np.stack(columns, axis=-1)[:, None, :]
    dither = np.random.default_rng(seed).uniform(-0.8, 0.8, (height, WIDTH, 1))
    return np.clip(np.round(smooth + dither), 0, 255).astype(np.uint8)


def fill(image: Frame, points: Sequence[Point], colour: Colour) -> None:
    scaled = np.round(np.array(points) * 2**SUBPIXEL_BITS).astype(np.int32)
    cv2.fillPoly(image, [scaled], colour, cv2.LINE_AA, SUBPIXEL_BITS)


def disc(image: Frame, centre: Point, radius: float, colour: Colour, thickness: int = -1) -> None:
    scale = 2**SUBPIXEL_BITS
    middle = (round(centre[0] * scale), round(centre[1] * scale))
    cv2.circle(image, middle, round(radius * scale), colour, thickness, cv2.LINE_AA, SUBPIXEL_BITS)


def line(image: Frame, start: Point, end: Point, colour: Colour, thickness: int = 2) -> None:
    scale = 2**SUBPIXEL_BITS
    ends = [(round(x * scale), round(y * scale)) for x, y in (start, end)]
    cv2.line(image, ends[0], ends[1], colour, thickness, cv2.LINE_AA, SUBPIXEL_BITS)


def add_light(image: Frame, mask: NDArray[np.float32], colour: Colour) -> None:
    """Add `colour` times a mask of 0..1 drawn at a quarter of the size; light adds, it does not cover."""
    full = cv2.resize(mask, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    light = (full[..., None] * np.array(colour, np.float32)).astype(np.uint8)
    cv2.add(image, light, dst=image)


def glow_mask(centre: Point, radius: float) -> NDArray[np.float32]:
    y, x = np.mgrid[0 : HEIGHT // 4, 0 : WIDTH // 4].astype(np.float32)
    distance2 = (x - centre[0] / 4) ** 2 + (y - centre[1] / 4) ** 2
    return np.asarray(1 / (1 + distance2 / (radius / 4) ** 2) ** 1.5, np.float32)


def ease(value: float) -> float:
    inside = min(max(value, 0.0), 1.0)
    return inside * inside * (3 - 2 * inside)


class Caption:
    """A line of text that fades in; drawn once, blended every frame."""

    def __init__(self, text: str, left: int, top: int, size: int, colour: Colour, appears: float = 0.0) -> None:
        font = ImageFont.load_default(size=size)
        box = ImageDraw.Draw(Image.new("L", (1, 1))).textbbox((0, 0), text, font=font)
        picture = Image.new("L", (int(box[2]) + 4, int(box[3]) + 4))
        ImageDraw.Draw(picture).text((2, 2), text, fill=255, font=font)
        self.alpha = np.asarray(picture, np.float32)[..., None] / 255
        self.left, self.top, self.colour, self.appears = left, top, colour, appears

    def draw(self, image: Frame, t: float) -> None:
        shown = ease((t - self.appears) / 0.8)
        if shown == 0.0:
            return
        height, width = self.alpha.shape[:2]
        area = image[self.top : self.top + height, self.left : self.left + width]
        alpha = self.alpha * shown
        area[:] = np.round(area * (1 - alpha) + np.array(self.colour, np.float32) * alpha).astype(np.uint8)


def lighthouse(image: Frame, x: float, base: float, height: float, stone: Colour, band: Colour, roof: Colour) -> Point:
    """A banded tower whose foot stands at (x, base); returns the middle of its lantern."""
    shaft = height * 0.78
    foot, top = height * 0.115, height * 0.07

    def half_width(up: float) -> float:
        return foot + (top - foot) * up

    for index in range(5):
        low, high = index / 5, (index + 1) / 5
        corners = [(-half_width(low), low), (half_width(low), low), (half_width(high), high), (-half_width(high), high)]
        fill(image, [(x + dx, base - up * shaft) for dx, up in corners], band if index % 2 else stone)
    gallery = base - shaft
    fill(
        image,
        [
            (x - top * 1.5, gallery),
            (x + top * 1.5, gallery),
            (x + top * 1.5, gallery - height * 0.02),
            (x - top * 1.5, gallery - height * 0.02),
        ],
        roof,
    )
    lantern = gallery - height * 0.02
    room = height * 0.1
    fill(
        image,
        [(x - top * 0.8, lantern), (x + top * 0.8, lantern), (x + top * 0.8, lantern - room), (x - top * 0.8, lantern - room)],
        (255, 236, 180),
    )
    for dx in (-0.8, 0.0, 0.8):
        line(image, (x + dx * top, lantern), (x + dx * top, lantern - room), roof, 2)
    fill(image, [(x - top * 1.1, lantern - room), (x + top * 1.1, lantern - room), (x, lantern - room - height * 0.08)], roof)
    line(image, (x, lantern - room - height * 0.08), (x, lantern - room - height * 0.12), roof, 2)
    return x, lantern - room / 2


class Sea:
    """Water that moves gently: streaks of light, shifted row by row."""

    def __init__(self, background: Frame, horizon: int, glint: Colour, seed: int) -> None:
        height = HEIGHT - horizon
        noise = np.random.default_rng(seed).normal(size=(height, WIDTH + 80)).astype(np.float32)
        depth = np.linspace(0, 1, height)
        streaks = cv2.GaussianBlur(noise, (0, 0), sigmaX=22, sigmaY=1.6)
        streaks = np.clip(streaks / streaks.std() - 0.9, 0, 1.6) * (0.12 + 0.16 * depth[:, None])
        water = background[horizon:].astype(np.float32)
        wide = np.concatenate([water, water[:, :80]], axis=1)
        self.picture = np.clip(wide + streaks[..., None] * np.array(glint, np.float32), 0, 255).astype(np.uint8)
        self.horizon = horizon
        self.columns, self.rows = np.meshgrid(np.arange(WIDTH, dtype=np.float32), np.arange(height, dtype=np.float32))
        self.reach = (4 + 16 * depth[:, None]).astype(np.float32)

    def draw(self, image: Frame, t: float) -> None:
        sway = self.reach * np.sin(2 * np.pi * (t / 6 + self.rows / 55)).astype(np.float32)
        lift = 1.5 * np.sin(2 * np.pi * (t / 4 + self.columns / 420)).astype(np.float32)
        image[self.horizon :] = cv2.remap(
            self.picture, self.columns + 40 + sway, self.rows + lift, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )


def headland(image: Frame, points: Sequence[Point], colour: Colour) -> None:
    """A smooth hill through `points`, closed along the bottom of the picture."""
    xs = np.linspace(points[0][0], points[-1][0], 200)
    ys = np.interp(xs, [x for x, _ in points], [y for _, y in points])
    ys = cv2.GaussianBlur(ys.astype(np.float32)[None, :], (0, 0), 8)[0]
    outline = [(float(x), float(y)) for x, y in zip(xs, ys, strict=True)]
    fill(image, [*outline, (points[-1][0], HEIGHT), (points[0][0], HEIGHT)], colour)


def stars(image: Frame, count: int, lowest: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    for _ in range(count):
        x, y = random.uniform(0, WIDTH), random.uniform(0, lowest)
        shade = int(random.uniform(120, 235))
        disc(image, (x, y), random.uniform(0.6, 1.5), (shade, shade, min(255, shade + 20)))


def beam_mask(source: Point, angle: float) -> NDArray[np.float32]:
    """One arm of a turning beam seen from the sea: it shortens and widens as it turns towards the viewer."""
    mask = np.zeros((HEIGHT // 4, WIDTH // 4), np.float32)
    x, y = source[0] / 4, source[1] / 4
    reach, spread = 420 * np.cos(angle), 16 + 26 * abs(np.sin(angle))
    arm = np.array([(x, y - 1), (x + reach, y - spread - 10), (x + reach, y + spread - 10), (x, y + 1)]) * 16
    cv2.fillPoly(mask, [arm.astype(np.int32)], 1.0, cv2.LINE_AA, 4)
    mask = cv2.GaussianBlur(mask, (0, 0), 2.5)
    away = np.abs(np.arange(WIDTH // 4, dtype=np.float32) - x)
    fades = np.exp(-away / 130) * np.clip(1.15 - away / max(abs(reach), 1.0), 0, 1)
    return np.asarray(mask * fades[None, :] * min(1.0, 0.1 + abs(np.cos(angle))) * 0.6, np.float32)


def tower_at_dusk() -> Painter:
    horizon = 470
    still = gradient(
        [
            (0, (20, 22, 58)),
            (0.35, (74, 52, 104)),
            (0.62, (222, 122, 98)),
            (0.652, (250, 190, 130)),
            (0.654, (58, 62, 104)),
            (1, (14, 20, 48)),
        ]
    )
    stars(still, 90, 230, seed=3)
    sea = Sea(still, horizon, (255, 170, 130), seed=5)
    land = [(700.0, 720.0), (760.0, 610.0), (860.0, 555.0), (960.0, 535.0), (1100.0, 528.0), (1290.0, 500.0)]
    title = Caption("How a lighthouse works", 80, 96, 68, CREAM, appears=0.6)
    subtitle = Caption("The light, the lens and the clock", 84, 186, 32, (240, 200, 180), appears=5.6)
    flash = glow_mask((1000, 188), 90)

    def paint(t: float) -> Frame:
        image = still.copy()
        sea.draw(image, t)
        headland(image, land, (24, 24, 44))
        lamp = lighthouse(image, 1000, 540, 430, (226, 214, 210), (150, 52, 54), (40, 30, 44))
        angle = 2 * np.pi * t / 9 + 2.2
        for arm in (angle, angle + np.pi):
            add_light(image, beam_mask(lamp, arm), LAMP)
        towards_us = max(0.0, abs(np.sin(angle)) - 0.7) / 0.3
        add_light(image, flash * (0.35 + 0.4 * towards_us), LAMP)
        title.draw(image, t)
        subtitle.draw(image, t)
        return image

    return paint


def lamp_room() -> Painter:
    still = gradient([(0, (26, 38, 66)), (0.7, (38, 54, 84)), (1, (20, 28, 48))], seed=2)
    stars(still, 70, 520, seed=8)
    for x in range(-400, 1700, 160):
        line(still, (x, 0), (x + 400, 620), (14, 18, 28), 9)
        line(still, (x + 400, 0), (x, 620), (14, 18, 28), 9)
    fill(still, [(0, 610), (WIDTH, 610), (WIDTH, HEIGHT), (0, HEIGHT)], (52, 38, 34))
    fill(still, [(0, 610), (WIDTH, 610), (WIDTH, 622), (0, 622)], (108, 78, 56))
    bulb = (840.0, 330.0)
    near, far = glow_mask(bulb, 120), glow_mask(bulb, 420)
    heading = Caption("1  The light", 80, 92, 60, CREAM, appears=0.3)
    note = Caption("One small electric lamp", 84, 176, 30, (244, 214, 160), appears=4.2)

    def paint(t: float) -> Frame:
        image = still.copy()
        breath = 0.86 + 0.14 * np.sin(2 * np.pi * t / 3.2)
        add_light(image, far * (0.5 * breath), (255, 176, 84))
        fill(image, [(796, 470), (884, 470), (876, 560), (804, 560)], (176, 140, 84))
        for y in range(478, 556, 16):
            line(image, (799, y + 4), (881, y - 4), (120, 90, 50), 4)
        fill(image, [(760, 560), (920, 560), (950, 612), (730, 612)], (84, 62, 48))
        disc(image, bulb, 112, (255, 214, 140))
        fill(image, [(748, 394), (932, 394), (884, 472), (796, 472)], (255, 214, 140))
        disc(image, bulb, 100, (255, 236, 190))
        coil = [(800 + i * 4.0, 326 + 12 * np.sin(i * 1.25 + t * 0.8)) for i in range(21)]
        for start, end in pairwise(coil):
            line(image, start, end, (226, 120, 40), 5)
        line(image, coil[0], (820, 468), (150, 110, 60), 3)
        line(image, coil[-1], (860, 468), (150, 110, 60), 3)
        add_light(image, near * (0.5 * breath), (255, 220, 150))
        heading.draw(image, t)
        note.draw(image, t)
        return image

    return paint


def lens_diagram() -> Painter:
    still = gradient([(0, (246, 240, 226)), (1, (232, 222, 202))], seed=4)
    for x in range(0, WIDTH, 40):
        cv2.line(still, (x, 0), (x, HEIGHT), (226, 217, 198), 1)
    for y in range(0, HEIGHT, 40):
        cv2.line(still, (0, y), (WIDTH, y), (226, 217, 198), 1)
    lamp = (260.0, 420.0)
    rings = [(offset, 470 + 0.0011 * offset**2 * 0.2) for offset in range(-220, 221, 55)]
    glass, edge = (150, 205, 214), (54, 112, 128)
    for offset, x in rings:
        y = lamp[1] + offset
        bulge = 46.0 if offset == 0 else 34.0
        lean = offset / 220 * 16
        prism = [(x, y - 25), (x + bulge * 0.55, y - 20 - lean), (x + bulge, y), (x + bulge * 0.55, y + 20 - lean), (x, y + 25)]
        fill(still, prism, glass)
        cv2.polylines(still, [np.round(np.array(prism) * 16).astype(np.int32)], True, edge, 2, cv2.LINE_AA, 4)
    heading = Caption("2  The lens", 80, 60, 60, INK, appears=0.3)
    note = Caption("Many rings of glass, one flat beam", 84, 142, 30, (120, 84, 56), appears=3.9)
    distance = Caption("20 miles", 1068, 142, 44, (170, 70, 50), appears=8.4)
    halo = (255, 226, 150)

    def paint(t: float) -> Frame:
        image = still.copy()
        for offset, x in rings:
            meets = (x, lamp[1] + offset)
            line(image, lamp, meets, (232, 170, 70), 2)
            line(image, (x + 34, meets[1]), (1240, meets[1]), (232, 170, 70), 2)
            first = float(np.hypot(meets[0] - lamp[0], meets[1] - lamp[1]))
            for step in range(9):
                along = (t * 120 + step * 130) % 1170
                if along < first:
                    share = along / first
                    dot = (lamp[0] + (meets[0] - lamp[0]) * share, lamp[1] + (meets[1] - lamp[1]) * share)
                else:
                    dot = (meets[0] + 34 + along - first, meets[1])
                if dot[0] < 1236:
                    disc(image, dot, 4.5, (214, 96, 40))
        disc(image, lamp, 34 + 3 * np.sin(2 * np.pi * t / 2.4), halo)
        disc(image, lamp, 20, (240, 150, 50))
        for caption in (heading, note, distance):
            caption.draw(image, t)
        return image

    return paint


def gear(image: Frame, centre: Point, radius: float, teeth: int, angle: float, colour: Colour, hole: Colour) -> None:
    outline = []
    for tooth in range(teeth):
        for share, reach in ((0.0, 0.88), (0.18, 0.88), (0.28, 1.04), (0.52, 1.04), (0.62, 0.88)):
            at = angle + 2 * np.pi * (tooth + share) / teeth
            outline.append((centre[0] + radius * reach * np.cos(at), centre[1] + radius * reach * np.sin(at)))
    fill(image, outline, colour)
    disc(image, centre, radius * 0.7, hole)
    for spoke in range(5):
        at = angle + 2 * np.pi * spoke / 5
        line(image, centre, (centre[0] + radius * 0.76 * np.cos(at), centre[1] + radius * 0.76 * np.sin(at)), colour, int(radius * 0.12))
    disc(image, centre, radius * 0.2, colour)
    disc(image, centre, radius * 0.08, hole)


def clockwork() -> Painter:
    dark = (16, 58, 62)
    still = gradient([(0, (22, 74, 78)), (1, (10, 42, 48))], seed=6)
    heading = Caption("3  The clock", 80, 92, 60, CREAM, appears=0.6)
    note = Caption("One turn, always the same time", 84, 176, 30, (224, 196, 130), appears=2.2)

    def paint(t: float) -> Frame:
        image = still.copy()
        turn = 2 * np.pi * t / 16
        gear(image, (560, 470), 150, 24, turn, (198, 152, 74), dark)
        gear(image, (761, 394), 80, 12, -turn * 2 + 0.1, (222, 184, 110), dark)
        gear(image, (330, 560), 106, 16, -turn * 1.5 + 0.2, (160, 116, 62), dark)
        disc(image, (1010, 360), 190, (222, 184, 110))
        disc(image, (1010, 360), 172, (246, 238, 220))
        for mark in range(60):
            at = 2 * np.pi * mark / 60
            inner = 140 if mark % 5 == 0 else 154
            line(
                image,
                (1010 + inner * np.sin(at), 360 - inner * np.cos(at)),
                (1010 + 162 * np.sin(at), 360 - 162 * np.cos(at)),
                INK,
                4 if mark % 5 == 0 else 2,
            )
        hand = 2 * np.pi * t / 20
        line(image, (1010, 360), (1010 + 130 * np.sin(hand), 360 - 130 * np.cos(hand)), (170, 52, 48), 7)
        disc(image, (1010, 360), 12, (170, 52, 48))
        heading.draw(image, t)
        note.draw(image, t)
        return image

    return paint


def two_rhythms() -> Painter:
    still = gradient([(0, (9, 12, 34)), (1, (22, 26, 66))], seed=7)
    rows = ((300, 5.0, "every 5 seconds", (255, 206, 120)), (560, 15.0, "every 15 seconds", (140, 220, 255)))
    lamps = []
    captions = [Caption("Count the seconds", 80, 60, 56, CREAM, appears=0.3)]
    for y, _, label, colour in rows:
        lamps.append(lighthouse(still, 190, y + 90, 210, (222, 220, 228), (128, 70, 92), (70, 62, 92)))
        line(still, (300, y), (1240, y), (70, 78, 128), 3)
        captions.append(Caption(label, 320, y - 74, 32, colour, appears=1.0))
    glows = [glow_mask(lamp, 60) for lamp in lamps]

    def paint(t: float) -> Frame:
        image = still.copy()
        for (y, period, _, colour), lamp, glow in zip(rows, lamps, glows, strict=True):
            since = (t - 1.5) % period
            strength = float(np.exp(-since * 1.6))
            add_light(image, glow * (0.15 + 0.85 * strength), colour)
            for flash in range(-1, 4):
                x = 300 + 62 * (t - 1.5 - flash * period)
                if 300 <= x <= 1236:
                    disc(image, (x, y), 15, colour)
            disc(image, lamp, 6 + 8 * strength, (255, 250, 235))
        for caption in captions:
            caption.draw(image, t)
        return image

    return paint


def chart_with_satellite() -> Painter:
    still = gradient([(0, (182, 220, 226)), (1, (150, 200, 214))], seed=9)
    for x in range(0, WIDTH, 128):
        cv2.line(still, (x, 0), (x, HEIGHT), (136, 186, 202), 1)
    for y in range(0, HEIGHT, 120):
        cv2.line(still, (0, y), (WIDTH, y), (136, 186, 202), 1)
    coast = [
        (0.0, 470.0),
        (120.0, 500.0),
        (230.0, 452.0),
        (380.0, 520.0),
        (560.0, 575.0),
        (720.0, 545.0),
        (900.0, 610.0),
        (1060.0, 560.0),
        (1290.0, 600.0),
    ]
    for offset, colour in ((-26.0, (196, 226, 226)), (0.0, (238, 224, 178)), (10.0, (152, 186, 120)), (60.0, (134, 170, 106))):
        headland(still, [(x, y + offset) for x, y in coast], colour)
    towers = ((236.0, 486.0), (716.0, 566.0), (1062.0, 584.0))
    for x, y in towers:
        lighthouse(still, x, y + 20, 84, (250, 246, 240), (190, 60, 58), (70, 50, 56))
    heading = Caption("Ships listen to satellites now", 80, 56, 52, (34, 62, 84), appears=0.3)
    note = Caption("The light still works when the signal fails", 84, 126, 30, (150, 60, 50), appears=6.4)

    def paint(t: float) -> Frame:
        image = still.copy()
        for index, (x, y) in enumerate(towers):
            wave = (t / 3 + index / 3) % 1
            shade = tuple(int(a + (b - a) * wave) for a, b in zip((250, 240, 190), (160, 205, 216), strict=True))
            disc(image, (x, y - 58), 10 + 46 * wave, (shade[0], shade[1], shade[2]), 3)
        ship = (150 + 46 * t, 372 + 26 * np.sin(t / 2.6))
        for step in range(1, 9):
            disc(image, (ship[0] - 70 - step * 26, 372 + 26 * np.sin((t - (70 + step * 26) / 46) / 2.6)), 3, (232, 246, 248))
        hull = [(-62, 0), (66, 0), (48, 28), (-48, 28)]
        fill(image, [(ship[0] + dx, ship[1] + dy) for dx, dy in hull], (52, 66, 92))
        fill(image, [(ship[0] + dx, ship[1] + dy) for dx, dy in [(-40, 0), (6, 0), (6, -26), (-40, -26)]], (248, 248, 244))
        fill(image, [(ship[0] + dx, ship[1] + dy) for dx, dy in [(-30, -26), (-14, -26), (-14, -50), (-30, -50)]], (200, 70, 60))
        satellite = (1120 - 18 * t, 96 + 10 * np.sin(t / 3))
        for ring in range(3):
            reach = 46 + ((t * 40 + ring * 36) % 108)
            middle = (int(satellite[0]), int(satellite[1]))
            cv2.ellipse(image, middle, (int(reach), int(reach)), 0, 70, 130, (74, 120, 160), 3, cv2.LINE_AA)
        for side in (-1, 1):
            panel = [(18, -14), (78, -14), (78, 14), (18, 14)]
            fill(image, [(satellite[0] + side * dx, satellite[1] + dy) for dx, dy in panel], (58, 86, 160))
        fill(image, [(satellite[0] + dx, satellite[1] + dy) for dx, dy in [(-18, -24), (18, -24), (18, 24), (-18, 24)]], (232, 196, 110))
        heading.draw(image, t)
        note.draw(image, t)
        return image

    return paint


def coast_at_dawn() -> Painter:
    horizon = 500
    still = gradient(
        [(0, (120, 170, 214)), (0.4, (246, 206, 190)), (0.69, (255, 232, 176)), (0.695, (196, 190, 190)), (1, (70, 112, 140))], seed=10
    )
    sea = Sea(still, horizon, (255, 240, 200), seed=11)
    land = [(-10.0, 452.0), (120.0, 470.0), (260.0, 486.0), (400.0, 560.0), (470.0, 720.0)]
    closing = Caption("Count the seconds.", 620, 110, 64, (64, 58, 92), appears=3.4)

    def paint(t: float) -> Frame:
        image = still.copy()
        disc(image, (860, horizon + 40 - 9 * t), 66, (255, 248, 214))
        sea.draw(image, t)
        headland(image, land, (58, 74, 74))
        lighthouse(image, 170, 480, 360, (120, 112, 122), (96, 66, 80), (56, 52, 66))
        for bird in range(4):
            x, y = 520 + bird * 58 + 30 * t, 250 + (bird % 2) * 44 - 3 * t
            flap = 12 * np.sin(2 * np.pi * (t * 0.9 + bird * 0.3))
            line(image, (x - 20, y - flap), (x, y), (70, 70, 92), 3)
            line(image, (x, y), (x + 20, y - flap), (70, 70, 92), 3)
        closing.draw(image, t)
        return image

    return paint


SCENES: dict[str, Callable[[], Painter]] = {
    "tower": tower_at_dusk,
    "light": lamp_room,
    "lens": lens_diagram,
    "clock": clockwork,
    "rhythm": two_rhythms,
    "satellite": chart_with_satellite,
    "dawn": coast_at_dawn,
}
