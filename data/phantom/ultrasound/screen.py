"""The screen of a machine: the picture in its place, with scale, bars, marker, colour box and small texts.

Texts name settings and the joint, never a person.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from data.phantom.ultrasound.body import CODE
from data.phantom.ultrasound.machines import Machine

FONT = cv2.FONT_HERSHEY_SIMPLEX
COLOURS = {  # of the colour bar, from weak to strong flow
    "fire": ((70, 10, 5), (160, 30, 8), (235, 95, 15), (255, 190, 40), (255, 245, 150)),
    "magenta": ((70, 10, 60), (140, 20, 90), (205, 45, 85), (245, 120, 60), (255, 215, 90)),
    "gold": ((90, 45, 0), (150, 80, 5), (205, 120, 20), (240, 175, 60), (255, 230, 150)),
}
TINT = {"plain": (1.0, 1.0, 1.0), "header": (1.0, 1.0, 1.0), "side": (1.0, 0.98, 0.94)}
INK = {"plain": (235, 235, 235), "header": (205, 215, 235), "side": (240, 225, 160)}


@dataclass(frozen=True)
class Screen:
    """A picture as a machine shows it. colour: uint8 RGB, frames x rows x columns x 3. tissue: code of each
    pixel. box: x0, y0, x1, y1 of the picture on it; mm: sides of its pixels. colour_box: of flow, or None.
    """

    colour: np.ndarray
    tissue: np.ndarray
    box: tuple[int, int, int, int]
    mm: tuple[float, float]
    colour_box: tuple[int, int, int, int] | None


@dataclass(frozen=True)
class Words:
    """What the screen says: mode B or PD, ``joint`` or nothing, gain, depth and whether it is mirrored."""

    mode: str
    joint: str
    gain: float
    depth: float
    mirrored: bool
    angle: float = 0.0


def place(machine: Machine, width: float, depth: float) -> tuple[tuple[int, int, int, int], float]:
    """Where on the screen a picture of these mm comes, and mm of a pixel."""
    x0, y0, x1, y1 = machine.area
    per_mm = min((x1 - x0) / width, (y1 - y0) / depth)
    wide, high = round(width * per_mm), round(depth * per_mm)
    left = (x0 + x1 - wide) // 2
    return (left, y0, left + wide, y0 + high), 1 / per_mm


def show(
    machine: Machine,
    words: Words,
    size_mm: tuple[float, float],
    greys: list[np.ndarray],
    flows: list[np.ndarray | None],
    tissues: np.ndarray,
    flow_box: tuple[float, float, float, float] | None,
) -> Screen:
    """The screen of every frame. size_mm: width and depth. greys, flows: of every frame, 0 to 1."""
    box, mm = place(machine, *size_mm)
    x0, y0, x1, y1 = box
    inside = (slice(y0, y1), slice(x0, x1))
    size = (x1 - x0, y1 - y0)
    ink = np.zeros((*machine.screen, 3), np.uint8)
    colour_box = None if flow_box is None else _in_pixels(box, flow_box, words.mirrored)
    _furniture(ink, machine, words, box, mm, colour_box)
    drawn = ink.any(axis=2)
    frames = np.zeros((len(greys), *machine.screen, 3), np.uint8)
    for frame, grey, flow in zip(frames, greys, flows, strict=True):
        frame[inside] = picture(machine, grey, flow, size, mirrored=words.mirrored)
        frame[drawn] = ink[drawn]
    tissue = np.full(machine.screen, CODE["background"], np.uint8)
    codes = cv2.resize(tissues, size, interpolation=cv2.INTER_NEAREST)
    tissue[inside] = codes[:, ::-1] if words.mirrored else codes
    tissue[drawn] = CODE["furniture"]
    return Screen(frames, tissue, box, (mm, mm), colour_box)


def picture(
    machine: Machine, grey: np.ndarray, flow: np.ndarray | None, size: tuple[int, int], *, mirrored: bool
) -> np.ndarray:
    """Grey and colour of one frame as RGB."""
    shade = np.clip(cv2.resize(grey.astype(np.float32), size, interpolation=cv2.INTER_AREA), 0, 1) * 255
    rgb = np.rint(shade[..., None] * np.array(TINT[machine.look], np.float32)).astype(np.uint8)
    if flow is not None:
        level = cv2.resize(flow.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
        shown = level > 0.12
        rgb[shown] = colour_table(machine)[np.clip(level[shown] * 255, 0, 255).astype(np.uint8)]
    return np.ascontiguousarray(rgb[:, ::-1] if mirrored else rgb)


def colour_table(machine: Machine) -> np.ndarray:
    """RGB of 256 levels of flow."""
    stops = np.array(COLOURS[machine.colours], float)
    at = np.linspace(0, 255, len(stops))
    return np.stack([np.interp(np.arange(256), at, stops[:, i]) for i in range(3)], axis=1).astype(np.uint8)


def _in_pixels(
    box: tuple[int, int, int, int], share: tuple[float, float, float, float], mirrored: bool
) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = box
    left, right = (1 - share[2], 1 - share[0]) if mirrored else (share[0], share[2])
    wide, high = x1 - x0, y1 - y0
    return (
        x0 + round(left * wide), y0 + round(share[1] * high),
        x0 + round(right * wide), y0 + round(share[3] * high),
    )  # fmt: skip


def _furniture(
    ink: np.ndarray,
    machine: Machine,
    words: Words,
    box: tuple[int, int, int, int],
    mm: float,
    colour_box: tuple[int, int, int, int] | None,
) -> None:
    colour, columns = INK[machine.look], machine.screen[1]
    if machine.look == "header":
        ink[:40] = (28, 52, 92)
        ink[40:42] = (90, 120, 160)
    if machine.look == "side":
        ink[:, :4] = (60, 50, 20)
    _scale(ink, colour, box, mm, columns)
    _bars(ink, machine, box, flow=words.mode == "PD")
    _marker(ink, machine, box, words.mirrored)
    _texts(ink, machine, words, box)
    if colour_box is not None:
        x0, y0, x1, y1 = colour_box
        cv2.rectangle(
            ink, (x0, y0), (x1 - 1, y1 - 1), (245, 245, 245) if machine.look != "header" else (60, 200, 90), 1
        )


def _scale(
    ink: np.ndarray, colour: tuple[int, int, int], box: tuple[int, int, int, int], mm: float, columns: int
) -> None:
    """Depth at the right of the picture: a tick each 5 mm, a long one each 10."""
    at, depth = min(box[2] + 6, columns - 14), (box[3] - box[1]) * mm
    for number in range(int(depth // 5) + 1):
        row = box[1] + round(number * 5 / mm)
        cv2.line(ink, (at, row), (at + (9 if number % 2 == 0 else 4), row), colour, 1)
        if number % 4 == 0 and number:
            cv2.putText(
                ink,
                str(number // 2),
                (min(at + 12, columns - 12), row + 4),
                FONT,
                0.35,
                colour,
                1,
                cv2.LINE_AA,
            )


def _bars(ink: np.ndarray, machine: Machine, box: tuple[int, int, int, int], *, flow: bool) -> None:
    """Grey bar and, with flow, colour bar."""
    left = {"plain": 22, "header": 30, "side": machine.screen[1] - 44}[machine.look]
    top, high, wide = box[1] + 6, 92, 13
    ramp = np.linspace(255, 12, high)[:, None].repeat(wide, 1)
    ink[top : top + high, left : left + wide] = ramp[..., None].astype(np.uint8)
    if flow:
        at = top + high + 22
        ink[at : at + high, left : left + wide] = colour_table(machine)[
            np.linspace(255, 8, high).astype(int)
        ][:, None]
        cv2.putText(
            ink,
            "PD" if machine.look != "plain" else "PWR",
            (left - 6, at - 5),
            FONT,
            0.35,
            INK[machine.look],
            1,
            cv2.LINE_AA,
        )


def _marker(ink: np.ndarray, machine: Machine, box: tuple[int, int, int, int], mirrored: bool) -> None:
    """The side of the probe's mark: left of the picture, or right where it is shown the other way round."""
    at = (box[2] - 12 if mirrored else box[0] + 12, box[1] - 9)
    colour = (80, 220, 120) if machine.look == "plain" else (90, 170, 250)
    if machine.look == "side":
        cv2.rectangle(ink, (at[0] - 4, at[1] - 5), (at[0] + 4, at[1] + 5), colour, -1)
    else:
        cv2.circle(ink, at, 6, colour, 1, cv2.LINE_AA)
        cv2.putText(
            ink,
            "P" if machine.look == "header" else "S",
            (at[0] - 3, at[1] + 4),
            FONT,
            0.33,
            colour,
            1,
            cv2.LINE_AA,
        )
    focus = box[1] + round((box[3] - box[1]) * 0.45)
    side = box[0] - 8
    cv2.fillPoly(
        ink, [np.array([[side, focus - 4], [side + 6, focus], [side, focus + 4]])], INK[machine.look]
    )


def _texts(ink: np.ndarray, machine: Machine, words: Words, box: tuple[int, int, int, int]) -> None:
    colour, small = INK[machine.look], 0.38
    settings = [
        f"{machine.frequency:.0f}MHz", f"Gn {56 + round(words.gain)}", f"DR {machine.dynamic_range:.0f}",
        f"D {words.depth / 10:.1f}cm",
    ]  # fmt: skip
    flow = ["PRF 0.8k", "WF low"] if words.mode == "PD" else []

    def write(text: str, x: int, y: int) -> None:
        cv2.putText(ink, text, (x, y), FONT, small, colour, 1, cv2.LINE_AA)

    if machine.look == "plain":
        write("MSK Superf", box[0], 18)
        write("   ".join(settings + flow), box[0], 36)
        write("MI 0.7 TIs 0.2", box[2] - 96, 18)
        if words.joint:
            write(words.joint, box[0] + 14, box[3] + 24)
    elif machine.look == "header":
        write(f"{machine.model}   Small Joints", 12, 25)
        for number, text in enumerate(settings + flow):
            write(text, 8, box[1] + 260 + 18 * number)
        if words.joint:
            write(words.joint, (box[0] + box[2]) // 2 - 20, box[3] - 10)
    else:
        for number, text in enumerate(["MSK", *settings, *flow]):
            write(text, 14, 90 + 20 * number)
        if words.joint:
            write(words.joint, box[0] + 4, box[3] + 20)
