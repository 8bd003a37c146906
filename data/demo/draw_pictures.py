"""Draws the 27 pictures of the demo: flat scenes of a few shapes and labels, the same bytes each time.

Run `python data/demo/draw_pictures.py` with Pillow installed; the pictures go to `images/` beside this file, or to the folder
named as the only argument. The font is the one inside Pillow, so nothing depends on the machine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 384, 288
SCALE = 2  # drawn larger and reduced, for smooth edges
COLOURS = 128

SKY, DUSK, NIGHT = "#bfe3f5", "#5b6c9e", "#1f2947"
GRASS, SNOW, STONE, DARK = "#86b86b", "#eef4f8", "#a9a9a6", "#2d2f36"
WOOD, PAPER, RED, YELLOW, BLUE, GREEN = "#a5744a", "#fbf8ee", "#c8402f", "#f2c230", "#3a6fb0", "#3f8a4f"
SKIN, BROWN_SKIN = "#eac4a1", "#8d5b3c"

Box = tuple[float, float, float, float]


class Pen:
    """Draws in picture coordinates on a larger canvas."""

    def __init__(self, background: str) -> None:
        self.image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), background)
        self._draw = ImageDraw.Draw(self.image)

    def box(self, box: Box, fill: str, outline: str | None = None, radius: float = 0) -> None:
        self._draw.rounded_rectangle(_scaled(box), radius * SCALE, fill, outline, 2 * SCALE)

    def oval(self, box: Box, fill: str, outline: str | None = None) -> None:
        self._draw.ellipse(_scaled(box), fill, outline, 2 * SCALE)

    def shape(self, points: Sequence[tuple[float, float]], fill: str) -> None:
        self._draw.polygon([(x * SCALE, y * SCALE) for x, y in points], fill)

    def line(self, points: Sequence[tuple[float, float]], fill: str, width: float = 3) -> None:
        self._draw.line([(x * SCALE, y * SCALE) for x, y in points], fill, round(width * SCALE), "curve")

    def arc(self, box: Box, start: float, end: float, fill: str, width: float = 3) -> None:
        self._draw.arc(_scaled(box), start, end, fill, round(width * SCALE))

    def text(self, x: float, y: float, text: str, size: float = 16, fill: str = DARK) -> None:
        """Text around its middle; lines are split by a newline."""
        font = ImageFont.load_default(size * SCALE)
        self._draw.multiline_text((x * SCALE, y * SCALE), text, fill, font, "mm", align="center", spacing=4 * SCALE)

    def sign(self, x: float, y: float, text: str, fill: str = YELLOW, size: float = 16, post: float = 0) -> None:
        """A board around its middle, on a post of the given length."""
        lines = text.split("\n")
        width, height = max(map(len, lines)) * size * 0.62 + 18, len(lines) * size * 1.35 + 14
        if post:
            self.box((x - 3, y, x + 3, y + height / 2 + post), WOOD)
        self.box((x - width / 2, y - height / 2, x + width / 2, y + height / 2), fill, DARK, 4)
        self.text(x, y, text, size, DARK if fill in (YELLOW, PAPER, SNOW) else PAPER)

    def person(self, x: float, y: float, coat: str, skin: str = SKIN, size: float = 1.0, hair: str = DARK) -> None:
        """Head and shoulders; `y` is where the shoulders end."""
        self.box((x - 30 * size, y - 55 * size, x + 30 * size, y), coat, radius=18 * size)
        self.oval((x - 20 * size, y - 100 * size, x + 20 * size, y - 54 * size), hair)
        self.oval((x - 16 * size, y - 92 * size, x + 16 * size, y - 54 * size), skin)


def _scaled(box: Box) -> Box:
    return (box[0] * SCALE, box[1] * SCALE, box[2] * SCALE, box[3] * SCALE)


def rooftop() -> Pen:
    pen = Pen(DUSK)
    pen.oval((290, 30, 330, 70), "#f4d9a0")
    for x, top in ((0, 190), (60, 165), (130, 200), (190, 175), (250, 210), (320, 180)):
        pen.box((x, top, x + 52, 288), "#3b4668")
        for y in range(int(top) + 12, 280, 22):
            pen.box((x + 10, y, x + 18, y + 9), YELLOW)
            pen.box((x + 30, y, x + 38, y + 9), "#57628a")
    pen.shape([(0, 120), (215, 120), (170, 288), (0, 288)], STONE)
    pen.shape([(215, 120), (228, 124), (186, 288), (170, 288)], "#75757a")
    pen.box((20, 66, 80, 120), "#8c5f4d")
    pen.box((34, 76, 66, 120), DARK)
    pen.text(118, 190, "ROOF\n12th FLOOR", 15)
    return pen


def scale() -> Pen:
    pen = Pen("#d9e6e4")
    for x in range(0, 384, 48):
        pen.line([(x, 0), (x, 288)], "#c4d4d1", 2)
    for y in range(0, 288, 48):
        pen.line([(0, y), (384, y)], "#c4d4d1", 2)
    pen.box((40, 60, 220, 240), "#f7f7f7", DARK, 22)
    pen.box((85, 80, 175, 122), "#b9d3b0", DARK, 6)
    pen.text(130, 101, "39.0 kg", 20)
    pen.oval((70, 140, 116, 225), "#d6d6d6")
    pen.oval((144, 140, 190, 225), "#d6d6d6")
    pen.box((245, 70, 365, 170), "#fff2a8", DARK)
    pen.text(305, 120, "DAY 9\nwater only", 18)
    pen.box((285, 190, 325, 260), "#cfe8f7", BLUE, 5)
    return pen


def night_desk() -> Pen:
    pen = Pen(NIGHT)
    pen.box((230, 20, 360, 120), "#0f1730", "#8a94b5")
    pen.oval((310, 32, 340, 62), "#f4ecc8")
    pen.box((40, 30, 150, 80), DARK, "#8a94b5", 6)
    pen.text(95, 55, "04:07", 28, "#ff6a5c")
    pen.box((0, 215, 384, 288), WOOD)
    for number in range(5):
        x = 190 + number * 36
        pen.box((x, 150, x + 28, 215), GREEN if number % 2 else BLUE, PAPER, 4)
        pen.shape([(x + 16, 165), (x + 7, 185), (x + 13, 185), (x + 10, 202), (x + 22, 180), (x + 15, 180)], YELLOW)
    pen.text(277, 136, "ENERGY", 14, PAPER)
    pen.shape([(20, 215), (90, 200), (165, 215), (165, 240), (90, 226), (20, 240)], PAPER)
    pen.text(92, 258, "EXAM NOTES", 14, PAPER)
    return pen


def frozen_lake() -> Pen:
    pen = Pen("#cfe0ec")
    for x in (10, 55, 95, 300, 345):
        pen.shape([(x, 130), (x + 20, 50), (x + 40, 130)], "#4d7a63")
        pen.shape([(x + 13, 78), (x + 20, 50), (x + 27, 78)], SNOW)
    pen.box((0, 125, 384, 288), SNOW)
    pen.oval((20, 140, 364, 275), "#a9cfe4", "#86b3cd")
    for points in ([(90, 200), (130, 215), (150, 245), (190, 250)], [(130, 215), (170, 195), (215, 205)]):
        pen.line(points, "#5d8eab", 2)
    pen.sign(285, 140, "DANGER\nTHIN ICE", post=70)
    return pen


def two_bottles() -> Pen:
    pen = Pen("#e9e2d2")
    pen.box((0, 230, 384, 288), WOOD)
    for x, colour, name in ((80, BLUE, "BLEACH"), (215, RED, "DESCALER\nacid")):
        pen.box((x + 28, 40, x + 62, 75), DARK, radius=4)
        pen.box((x, 72, x + 90, 230), colour, radius=14)
        pen.box((x + 6, 110, x + 84, 215), PAPER)
        pen.text(x + 45, 133, name, 14)
        pen.shape([(x + 45, 152), (x + 72, 204), (x + 18, 204)], YELLOW)
        pen.text(x + 45, 188, "!", 26)
    return pen


def bridge() -> Pen:
    pen = Pen(SKY)
    pen.shape([(0, 60), (110, 130), (150, 288), (0, 288)], "#8f7d6b")
    pen.shape([(384, 50), (270, 130), (235, 288), (384, 288)], "#7d6c5c")
    pen.shape([(150, 288), (180, 210), (205, 210), (235, 288)], "#4f93c0")
    pen.text(192, 195, "80 m", 15)
    pen.box((0, 160, 384, 178), "#6b4a32")
    pen.box((0, 100, 384, 108), DARK)
    for x in range(8, 384, 30):
        pen.box((x, 104, x + 5, 162), DARK)
    pen.oval((300, 14, 340, 54), YELLOW)
    return pen


def memorial() -> Pen:
    pen = Pen(SKY)
    pen.box((0, 200, 384, 288), GRASS)
    pen.box((120, 40, 264, 215), STONE, "#75757a", 20)
    pen.text(192, 100, "IN MEMORY\nOF THOSE\nWE LOST", 18)
    pen.box((100, 212, 284, 230), "#75757a")
    for x in (70, 150, 235, 305):
        pen.box((x, 236, x + 14, 266), PAPER, "#c9bfa0")
        pen.oval((x + 3, 222, x + 11, 238), YELLOW)
    for x, colour in ((105, RED), (190, PAPER), (275, RED)):
        pen.line([(x + 8, 246), (x + 8, 275)], GREEN)
        pen.oval((x, 234, x + 17, 251), colour)
    return pen


def wallet() -> Pen:
    pen = Pen("#c9b48f")
    for y in (10, 40, 70):
        pen.box((0, y, 384, y + 22), WOOD)
    pen.box((40, 92, 60, 288), DARK)
    pen.box((324, 92, 344, 288), DARK)
    pen.box((110, 150, 290, 255), "#6b3f26", DARK, 10)
    pen.box((125, 120, 275, 175), "#9cc29a", GREEN)
    pen.text(200, 136, "50   50   50", 15)
    pen.box((122, 160, 278, 245), "#7f4d30", DARK, 6)
    pen.box((135, 178, 255, 230), PAPER, DARK, 4)
    pen.text(195, 204, "Property of\nJ. Example", 14)
    return pen


def parking() -> Pen:
    pen = Pen("#8c9aa5")
    pen.box((0, 0, 384, 110), "#c9b9a4")
    pen.box((230, 20, 310, 110), "#5f7f8f", DARK)
    pen.text(270, 55, "SHOP", 18, PAPER)
    pen.box((0, 110, 384, 288), "#5b5f66")
    for x in (20, 130, 250, 364):
        pen.line([(x, 130), (x, 288)], SNOW, 4)
    pen.box((32, 150, 118, 270), RED, DARK, 18)
    pen.box((45, 175, 105, 200), "#cfe0ec")
    pen.box((140, 140, 240, 270), BLUE)
    pen.oval((181, 152, 197, 168), SNOW)
    pen.line([(188, 168), (188, 205), (215, 205), (226, 232)], SNOW, 6)
    pen.line([(188, 182), (210, 182)], SNOW, 5)
    pen.arc((166, 190, 216, 248), 10, 250, SNOW, 5)
    pen.box((268, 150, 350, 270), GREEN, DARK, 18)
    pen.box((280, 175, 338, 200), "#cfe0ec")
    for x in range(10, 384, 34):
        pen.line([(x, 8), (x - 8, 34)], "#e3eef5", 2)
    return pen


def fence() -> Pen:
    pen = Pen("#b9c3cc")
    pen.box((60, 80, 330, 260), "#8a6a58")
    pen.box((270, 20, 300, 90), "#79594a")
    for x in range(80, 320, 48):
        pen.box((x, 100, x + 26, 140), "#3c4a55")
    pen.line([(84, 104), (102, 136)], SNOW, 2)
    pen.box((0, 250, 384, 288), "#7c8a5e")
    for x in range(-288, 384, 22):
        pen.line([(x, 288), (x + 130, 150)], "#5d646b", 1.5)
        pen.line([(x, 150), (x + 130, 288)], "#5d646b", 1.5)
    pen.line([(0, 150), (384, 150)], DARK, 5)
    for x in (10, 130, 250, 370):
        pen.box((x - 4, 135, x + 4, 288), DARK)
    pen.sign(190, 212, "PRIVATE\nNO ENTRY", RED, 20)
    return pen


def orchids() -> Pen:
    pen = Pen(SKY)
    pen.box((0, 120, 384, 288), GRASS)
    pen.oval((-60, 80, 220, 200), "#79a85f")
    for x, y in ((60, 170), (110, 205), (165, 175), (45, 235), (220, 235)):
        pen.line([(x, y), (x, y + 50)], GREEN, 4)
        for dx, dy in ((-9, 0), (9, 0), (0, -9), (0, 8)):
            pen.oval((x + dx - 9, y + dy - 9, x + dx + 9, y + dy + 9), "#b45fae")
        pen.oval((x - 5, y - 5, x + 5, y + 5), YELLOW)
    pen.sign(285, 125, "PROTECTED\nPLANTS\ndo not pick", PAPER, 15, 100)
    return pen


def glasses() -> Pen:
    pen = Pen("#5a3d2b")
    pen.box((0, 170, 384, 288), WOOD)
    pen.oval((310, 20, 360, 70), "#f5d88c")
    for x in (30, 95, 160, 225):
        pen.box((x, 95, x + 46, 190), "#e6ddc6", PAPER, 5)
        pen.box((x + 4, 172, x + 42, 187), "#e0a93a")
        pen.arc((x + 34, 110, x + 64, 165), 270, 90, PAPER, 5)
    pen.oval((258, 215, 296, 253), "#8b9097", DARK)
    pen.oval((268, 225, 286, 243), WOOD)
    pen.box((292, 229, 350, 239), "#8b9097")
    pen.box((332, 239, 340, 250), "#8b9097")
    pen.box((200, 222, 262, 250), DARK, radius=8)
    pen.text(231, 236, "CAR", 15, PAPER)
    pen.text(85, 238, "BILL: 4 beers", 15, PAPER)
    return pen


def ballot() -> Pen:
    pen = Pen("#dcd6e4")
    pen.box((190, 130, 360, 270), BLUE, DARK, 6)
    pen.box((225, 142, 325, 152), DARK)
    pen.text(275, 210, "VOTE", 30, PAPER)
    pen.shape([(245, 60), (312, 66), (306, 148), (240, 148)], PAPER)
    pen.box((25, 50, 165, 250), PAPER, DARK)
    pen.text(95, 75, "BALLOT", 20)
    for y, name in ((120, "Party A"), (170, "Party B")):
        pen.box((42, y - 12, 66, y + 12), PAPER, DARK)
        pen.text(115, y, name, 18)
    pen.line([(130, 265), (168, 222)], RED, 6)
    return pen


def map_picture() -> Pen:
    pen = Pen("#a9cfe4")
    pen.shape([(25, 40), (150, 25), (135, 110), (150, 180), (120, 260), (35, 245)], GREEN)
    pen.shape([(250, 30), (365, 50), (355, 240), (245, 262), (262, 180), (240, 110)], YELLOW)
    pen.shape([(150, 25), (250, 30), (240, 110), (262, 180), (245, 262), (120, 260), (150, 180), (135, 110)], PAPER)
    pen.text(84, 140, "NORVA", 20, PAPER)
    pen.text(306, 140, "SELD", 20)
    pen.text(195, 145, "claimed\nby both", 17, RED)
    return pen


def protest() -> Pen:
    pen = Pen("#c8d6e0")
    pen.box((0, 0, 384, 120), "#b8aa98")
    for x in range(20, 384, 60):
        pen.box((x, 30, x + 28, 75), "#6c7f8c")
    pen.box((0, 230, 384, 288), "#8b8f93")
    for x, coat, skin in ((40, RED, SKIN), (95, "#d8765f", BROWN_SKIN), (145, RED, SKIN)):
        pen.person(x, 250, coat, skin)
    for x, coat, skin in ((240, BLUE, BROWN_SKIN), (292, "#6f9bd0", SKIN), (345, BLUE, SKIN)):
        pen.person(x, 250, coat, skin)
    pen.sign(68, 115, "VOTE YES", PAPER, 17, 60)
    pen.sign(318, 115, "VOTE NO", PAPER, 17, 60)
    pen.line([(192, 130), (192, 288)], DARK, 4)
    return pen


def applicants() -> Pen:
    pen = Pen("#e4ded2")
    pen.sign(192, 45, "WANTED: CHIEF ENGINEER", PAPER, 16)
    pen.box((0, 240, 384, 288), WOOD)
    pen.box((68, 120, 132, 205), "#6b3f26", radius=28)  # long hair
    pen.person(100, 240, GREEN, hair="#6b3f26", size=1.2)
    pen.person(284, 240, BLUE, hair=DARK, size=1.2)
    pen.text(100, 265, "LEFT", 16, PAPER)
    pen.text(284, 265, "RIGHT", 16, PAPER)
    return pen


def notice() -> Pen:
    pen = Pen("#9fb8a8")
    pen.box((20, 30, 364, 288), "#5d7f6d")
    pen.box((40, 50, 344, 288), "#d7e8ef", DARK)
    pen.box((95, 75, 290, 225), PAPER, DARK)
    pen.text(192, 150, "HELP WANTED\nin our shop\nunder 30 only", 22)
    pen.text(192, 16, "CORNER SHOP", 18)
    for x, y in ((103, 83), (282, 83)):
        pen.oval((x - 5, y - 5, x + 5, y + 5), RED)
    return pen


def computer_class() -> Pen:
    pen = Pen("#ece3d6")
    pen.sign(192, 38, "COMPUTER CLASS", GREEN, 16)
    pen.oval((108, 92, 152, 130), "#d9d9d9")  # a bun of white hair
    pen.person(130, 240, "#8c5a86", hair="#d9d9d9", size=1.25)
    for x in (122, 138):
        pen.oval((x - 8, 137, x + 8, 153), "#f6e6d6", DARK)
    pen.box((0, 225, 384, 288), WOOD)
    pen.box((205, 140, 325, 222), DARK, radius=6)
    pen.box((213, 148, 317, 214), "#bfe3f5")
    pen.text(265, 181, "Hello!", 22, BLUE)
    pen.shape([(190, 222), (340, 222), (356, 242), (174, 242)], "#8b9097")
    return pen


def church() -> Pen:
    pen = Pen(SKY)
    pen.box((0, 220, 384, 288), GRASS)
    pen.box((120, 130, 300, 240), "#e7dcc5")
    pen.shape([(105, 135), (210, 75), (315, 135)], "#8a4b3b")
    pen.box((70, 90, 130, 240), "#ddd0b6")
    pen.shape([(62, 92), (100, 25), (138, 92)], "#8a4b3b")
    pen.line([(100, 4), (100, 30)], DARK, 4)
    pen.line([(91, 13), (109, 13)], DARK, 4)
    for x in (160, 215, 265):
        pen.box((x, 160, x + 20, 205), "#7fa6c4", radius=10)
    pen.box((84, 190, 116, 240), WOOD, radius=14)
    pen.sign(292, 215, "QUIET PLEASE\nservice now", PAPER, 15, 35)
    return pen


def prayer_room() -> Pen:
    pen = Pen("#f0e6d0")
    pen.box((150, 20, 234, 130), "#4f8f86", radius=40)
    pen.box((162, 34, 222, 130), "#dff0ec", radius=30)
    pen.box((0, 130, 384, 288), "#d8c7a3")
    for row, y in enumerate((140, 190)):
        for x in range(90 - 30 * row, 290 + 30 * row, 70):
            pen.box((x, y, x + 54, y + 42), RED, YELLOW, 3)
            pen.arc((x + 12, y + 8, x + 42, y + 50), 180, 360, YELLOW, 3)
    pen.sign(306, 62, "Please take off\nyour shoes", PAPER, 13)
    pen.box((280, 252, 384, 262), WOOD)
    for x in (292, 322, 352):
        pen.shape([(x, 250), (x, 236), (x + 9, 236), (x + 13, 243), (x + 23, 245), (x + 23, 250)], "#5a4632")
    return pen


def dinner() -> Pen:
    pen = Pen("#f3dcc0")
    pen.box((0, 120, 384, 288), "#ded2bd")
    pen.oval((30, 150, 240, 262), SNOW, STONE)
    pen.oval((62, 150, 205, 235), "#d98c80", "#a95c50")
    pen.line([(82, 178), (120, 222)], "#a95c50", 2)
    pen.line([(110, 165), (160, 228)], "#a95c50", 2)
    pen.line([(145, 160), (188, 215)], "#a95c50", 2)
    pen.oval((186, 174, 232, 206), PAPER, STONE)
    pen.sign(70, 135, "HAM", PAPER, 15)
    pen.box((258, 130, 370, 250), PAPER, GREEN, 4)
    pen.oval((298, 140, 330, 172), YELLOW)
    pen.oval((306, 137, 336, 167), PAPER)
    pen.text(314, 210, "IFTAR\nevening\n7 o'clock", 15)
    pen.oval((160, 20, 224, 84), "#f09b4a")
    pen.box((0, 84, 384, 90), "#c48a5a")
    return pen


def bars() -> Pen:
    pen = Pen(PAPER)
    pen.text(192, 24, "OUR SCORES", 20)
    pen.line([(70, 50), (70, 240), (350, 240)], DARK, 3)
    for value, y in (("97", 240), ("98", 160), ("99", 80)):
        pen.text(48, y, value, 16)
        pen.line([(65, y), (75, y)], DARK, 2)
    pen.box((110, 160, 180, 240), STONE)
    pen.box((230, 80, 300, 240), RED)
    pen.text(145, 262, "A", 20)
    pen.text(265, 262, "B", 20)
    return pen


def curves() -> Pen:
    pen = Pen(PAPER)
    pen.line([(40, 30), (40, 240), (365, 240)], DARK, 3)
    pen.line([(45, 220), (110, 195), (180, 110), (230, 85), (290, 150), (355, 215)], BLUE, 4)
    pen.line([(45, 228), (110, 210), (180, 135), (230, 110), (290, 170), (355, 224)], RED, 4)
    pen.text(110, 45, "ice cream sold", 16, BLUE)
    pen.text(305, 75, "sunburn", 16, RED)
    for x, month in ((60, "Jan"), (145, "Apr"), (230, "Jul"), (315, "Oct")):
        pen.text(x, 262, month, 16)
    return pen


def mushrooms() -> Pen:
    pen = Pen("#cfe0b8")
    pen.box((0, 200, 384, 288), "#6f8f4e")
    for x, y, size in ((120, 120, 1.3), (255, 150, 1.0), (330, 195, 0.6)):
        pen.box((x - 14 * size, y, x + 14 * size, y + 95 * size), PAPER, radius=8)
        pen.shape([(x - 24 * size, y + 36 * size), (x, y + 20 * size), (x + 24 * size, y + 36 * size)], "#e9e2cf")
        pen.shape([(x - 62 * size, y + 8 * size), (x - 46 * size, y - 34 * size), (x, y - 56 * size),
                   (x + 46 * size, y - 34 * size), (x + 62 * size, y + 8 * size)], RED)  # fmt: skip
        for dx, dy, r in ((-30, -16, 8), (0, -36, 9), (28, -18, 8), (2, -8, 7), (-46, 0, 5), (46, 0, 5)):
            pen.oval((x + (dx - r) * size, y + (dy - r) * size, x + (dx + r) * size, y + (dy + r) * size), SNOW)
    return pen


def id_card() -> Pen:
    pen = Pen("#8fa3b0")
    pen.box((30, 45, 354, 245), "#e6eff5", BLUE, 14)
    pen.text(192, 68, "IDENTITY CARD", 20, BLUE)
    pen.box((48, 92, 148, 220), SNOW, DARK)
    pen.person(98, 218, GREEN, hair="#b5541f", size=1.1)
    pen.arc((90, 136, 106, 150), 20, 160, RED, 2)
    pen.text(250, 150, "Alex Sample\nborn 1 Jan 1990\n1 Example Road\nNo. X 000 000", 17)
    pen.text(250, 225, "MADE UP", 13, STONE)
    return pen


def front_door() -> Pen:
    pen = Pen("#c98f6b")
    for y in range(0, 288, 24):
        pen.line([(0, y), (384, y)], "#b57d5b", 2)
    pen.box((120, 30, 264, 288), "#2f6b5e", DARK)
    pen.oval((240, 165, 254, 179), YELLOW)
    pen.box((290, 60, 350, 105), BLUE, PAPER, 4)
    pen.text(320, 82, "14", 26, PAPER)
    pen.box((140, 75, 244, 155), "#fff2a8", DARK)
    pen.text(192, 115, "Key is under\nthe pot. Away\nuntil the 17th", 14)
    pen.shape([(40, 225), (100, 225), (90, 280), (50, 280)], "#b5541f")
    for x, y in ((50, 190), (70, 175), (90, 190), (70, 205)):
        pen.oval((x - 16, y - 16, x + 16, y + 20), GREEN)
    return pen


def train() -> Pen:
    pen = Pen("#d5dbe0")
    pen.box((20, 15, 364, 130), SKY, DARK, 14)
    pen.shape([(22, 128), (120, 70), (220, 128)], GREEN)
    pen.shape([(180, 128), (270, 85), (362, 128)], "#79a85f")
    pen.box((0, 185, 384, 288), "#4b5f86")
    pen.person(80, 288, DARK, hair="#6b3f26", size=1.7)
    pen.box((180, 95, 300, 278), DARK, radius=14)
    pen.box((188, 110, 292, 264), SNOW)
    pen.text(240, 122, "Dr. Sample", 14)
    pen.box((194, 136, 286, 196), "#cfe3c6", radius=8)
    pen.text(240, 166, "Your test\nresults are in", 13)
    pen.box((214, 206, 288, 240), "#bcd4ee", radius=8)
    pen.text(251, 223, "Is it bad?", 13)
    pen.shape([(165, 210), (190, 200), (190, 250), (160, 262)], SKIN)
    return pen


SCENES: dict[str, Callable[[], Pen]] = {
    "rooftop": rooftop, "scale": scale, "night_desk": night_desk,
    "frozen_lake": frozen_lake, "two_bottles": two_bottles, "bridge": bridge,
    "memorial": memorial, "wallet": wallet, "parking": parking,
    "fence": fence, "orchids": orchids, "glasses": glasses,
    "ballot": ballot, "map": map_picture, "protest": protest,
    "applicants": applicants, "notice": notice, "computer_class": computer_class,
    "church": church, "prayer_room": prayer_room, "dinner": dinner,
    "bars": bars, "curves": curves, "mushrooms": mushrooms,
    "id_card": id_card, "front_door": front_door, "train": train,
}  # fmt: skip


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, scene in SCENES.items():
        small = scene().image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
        flat = small.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        flat.save(folder / f"{name}.png", optimize=True)
    print(f"{len(SCENES)} pictures in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent / "images")
