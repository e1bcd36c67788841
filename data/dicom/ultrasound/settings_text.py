"""Whether the lettering on a screen is settings alone: scales, frequencies, gains, presets, names of joints.

Every ultrasound screen has lettering, and most of it is harmless; a name among it is not. So lines are read,
but only for certain words: each word of a line is compared with a list of words and numbers, drawn in the
fonts that screens use. A line of which one word is not on the list, or is not clear, may name somebody. What
the list cannot hold: more than two digits without a unit, dates, times of day, three numbers in a row. A word
that is in the file's own patient data counts as a name wherever it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from data.dicom.burnt_in import Lettering, runs_of_text
from data.dicom.ultrasound.ink_words import GAPS, SIZE, drawn_words, vector_of, words_of_line

CLEAR = 0.89  # correlation with a word of the list from which a word is that
ASPECT = 0.14  # by which the width of a word for its height may differ from that
NUMBERS_IN_A_ROW = 2
REMEMBERED = 2048  # pictures of words, a few kilobytes each
WORDS = (
    *("MI", "TI", "TIs", "TIS", "TIb", "TIB", "TIc", "AO", "FR", "FPS", "fps", "Gn", "GN", "Gain", "G", "DR"),
    *(
        "P",
        "PRF",
        "WF",
        "F",
        "FRQ",
        "Frq",
        "Freq",
        "C",
        "D",
        "Depth",
        "S",
        "Map",
        "Persist",
        "Res",
        "Gen",
        "Pen",
    ),
    *("PD", "PDI", "PWR", "CPA", "CFM", "2D", "B", "GS", "MSK", "Superf", "Small", "Joints", "Joint", "Hand"),
    *(
        "Wrist",
        "Finger",
        "Knee",
        "low",
        "med",
        "high",
        "max",
        "min",
        "THI",
        "XRes",
        "cm",
        "mm",
        "MHz",
        "Hz",
        "dB",
    ),
    *("R", "L", "Rt", "Lt", "dors", "dorsal", "volar", "palmar", "long", "trans", "lng"),
)
KINDS = ("MCP", "PIP", "DIP", "MTP", "IP", "WR", "RC", "IC")


@dataclass(frozen=True)
class _Read:
    """A word of the list: as it is written, and whether it is a bare number."""

    text: str
    is_number: bool


def is_settings_alone(
    pixels: np.ndarray,
    device: str = "",
    is_identity: Callable[[str], bool] = lambda text: False,
    runs: Iterable[Lettering] | None = None,
) -> bool:
    """Whether every line of lettering on a screen is read, and speaks of settings alone.

    device: maker and model by the file, whose words may stand on its screen. is_identity: whether a text
    holds something of the patient. runs: of ``runs_of_text``, where they are known already.
    """
    lines = _lines(runs_of_text(pixels) if runs is None else runs)
    if lines is None:
        return False
    grey = pixels.max(axis=2) if pixels.ndim == 3 else _bytes_of(pixels)
    for line in lines:
        texts = (_settings(device, words_of_line(grey, line, gap)) for gap in GAPS)
        text = next((text for text in texts if text), "")
        if not text or is_identity(text):
            return False
    return True


def _settings(device: str, words: Iterable[np.ndarray]) -> str:
    """What the words of a line say where they all are of the list and speak of settings, else ``""``."""
    read = [_read(device, word.shape, word.tobytes()) for word in words]
    return " ".join(word.text for word in read if word) if _says_settings(read) else ""


def _bytes_of(grey: np.ndarray) -> np.ndarray:
    top = max(int(grey.max(initial=1)), 1)
    return (grey.astype(np.float32) * (255 / top)).astype(np.uint8)


def _says_settings(read: Iterable[_Read | None]) -> bool:
    """True for words of the list, some of them no numbers, without many numbers or two letters in a row."""
    in_a_row, has_word, after_letter = 0, False, False
    for word in read:
        if word is None:
            return False
        is_letter = len(word.text) == 1 and not word.is_number
        in_a_row = in_a_row + 1 if word.is_number else 0
        if in_a_row > NUMBERS_IN_A_ROW or (is_letter and after_letter):
            return False
        has_word, after_letter = has_word or not word.is_number, is_letter
    return has_word


def _lines(runs: Iterable[Lettering]) -> list[Lettering] | None:
    """Runs that stand on one line and near each other as one; None where some run along a column."""
    joined: list[Lettering] = []
    for run in sorted(runs, key=lambda one: (one.y0, one.x0)):
        if run.is_turned:
            return None
        for place, other in enumerate(joined):
            if _same_line(run, other):
                edges = (
                    min(run.x0, other.x0),
                    min(run.y0, other.y0),
                    max(run.x1, other.x1),
                    max(run.y1, other.y1),
                )
                joined[place] = Lettering(*edges)
                break
        else:
            joined.append(run)
    return joined


def _same_line(one: Lettering, other: Lettering) -> bool:
    high = max(one.y1 - one.y0, other.y1 - other.y0)
    near = one.x0 - other.x1 < 3 * high and other.x0 - one.x1 < 3 * high
    return near and abs(one.y1 - other.y1) < 0.5 * high and min(one.y1, other.y1) > max(one.y0, other.y0)


@lru_cache(maxsize=REMEMBERED)
def _read(device: str, shape: tuple[int, int], ink: bytes) -> _Read | None:
    """The word of the list, or of the machine's name, that a picture of a word clearly is.

    ink: float32 of that shape. A word comes again with other gaps between words, on the next frame and on the
    next screen of the same machine.
    """
    word = np.frombuffer(ink, np.float32).reshape(shape)
    vector, aspect = vector_of(word), shape[1] / shape[0]
    likeness, best = max(
        (known.nearest(vector, aspect) for known in (_listed(), _of_device(device))), key=lambda one: one[0]
    )
    return best if likeness >= CLEAR else None


@dataclass(frozen=True)
class _Known:
    """Words, drawn: vectors by rising width for height, and what they are. place: in the list."""

    vectors: np.ndarray
    aspects: np.ndarray
    place: np.ndarray
    words: tuple[_Read, ...]

    def nearest(self, vector: np.ndarray, aspect: float) -> tuple[float, _Read | None]:
        """How like a word is to the one that it is most like, the first of these in the list, and which."""
        first, last = np.searchsorted(self.aspects, (aspect * (1 - 2 * ASPECT), aspect * (1 + 2 * ASPECT)))
        likeness = self.vectors[first:last] @ vector
        likeness[np.abs(self.aspects[first:last] / aspect - 1) > ASPECT] = -1
        if not len(likeness):
            return -1.0, None
        alike = first + np.flatnonzero(likeness == likeness.max())
        return float(likeness.max()), self.words[int(self.place[alike].min())]


@lru_cache(maxsize=16)
def _of_device(device: str) -> _Known:
    return _drawn(_Read(word, is_number=False) for word in device.split() if len(word) > 1)


@lru_cache(maxsize=1)
def _listed() -> _Known:
    return _drawn(_list())


def _drawn(reads: Iterable[_Read]) -> _Known:
    vectors, aspects, words = [], [], []
    for read in reads:
        for picture in drawn_words(read.text):
            vectors.append(vector_of(picture))
            aspects.append(picture.shape[1] / picture.shape[0])
            words.append(read)
    place = np.argsort(aspects, kind="stable")
    pictures = np.array(vectors, np.float32).reshape(-1, SIZE[0] * SIZE[1])
    return _Known(pictures[place], np.array(aspects, float)[place], place, tuple(words))


def _list() -> Iterator[_Read]:
    """Words, joints with their numbers and sides, and numbers with and without units."""
    joints = [f"{kind}{number}" for kind in KINDS for number in ("", *range(1, 6))]
    yield from (_Read(word, is_number=False) for word in (*WORDS, *joints))
    tenths = [f"{number / 10:.1f}" for number in range(100)]
    yield from (_Read(number, is_number=True) for number in (*map(str, range(100)), *tenths))
    units = {
        "cm": (*map(str, range(1, 20)), *tenths),
        "mm": tuple(map(str, range(1, 100))),
        "MHz": tuple(map(str, range(1, 31))),
        "Hz": tuple(map(str, range(1, 100))),
        "dB": tuple(map(str, range(100))),
        "%": tuple(map(str, range(101))),
        "k": tenths[1:],
    }
    yield from (
        _Read(f"{number}{unit}", is_number=False) for unit, numbers in units.items() for number in numbers
    )
