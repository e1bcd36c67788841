"""Text burnt into the pixels: it may name the patient, and no header can take it out.

Lettering is drawn in thin strokes of one ink: bright on dark or dark on a bright box, in lines of even
height along rows or columns. So thin structures are taken out of the picture (top-hat, in both polarities and
two sizes). Connected pieces of letter size that stand on one line, near each other, sharp and of one ink,
count as lettering. A single lead marker ("R") is not text. How often this is right:
docs/decisions/burnt-in-text.md
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, MRImageStorage

STROKE = 15  # pixels; wider than the stroke of a letter (at half size: of large ones)
CONTRAST = 0.28  # of the range of the picture, by which strokes differ from what is beside them
LETTERS = 5  # letters on one line that count as text
LETTERS_OF_SLICE = 9  # on a slice as a scanner took it, where vertebrae stand in a line as letters do
PIECES = 4  # connected pieces that these are at least: letters may touch each other
SMALLEST, LARGEST = 6, 72  # height of a letter in pixels
SHARP, SHARP_OF_FEW = 0.5, 0.6  # proportion of a stroke with nearly all of its contrast (in a short line)
INK = 0.25  # of the range, by which the letters of a line differ at most
THICK = 0.5  # of the height of a letter: its widest stroke, from which pieces look like vertebrae
STROKES = 1.1  # strokes across a letter on the average: long pieces that have fewer are not several letters
JOINED = 1.8  # letters a piece on the average, from which pieces are letters that touch each other
EMPTY = 0.42  # proportion of its box below which such a piece is no letters, but a thin border with spurs
SOLID = 0.93  # proportion of its box from which a piece is a bar, as ticks of a scale are
GRAINY = 200, 450  # pieces, and more a million pixels, from which some stand on one line by chance
_TOO_MANY = 20_000  # pieces of a picture that is all grain: no lettering can be told from it


def burnt_in_warning(
    dataset: Dataset,
    pixels: np.ndarray,
    others: Iterable[np.ndarray] = (),
    *,
    is_harmless: Callable[[np.ndarray, list[Lettering]], bool] | None = None,
) -> str | None:
    """What to warn of, from the tag and from the pixels; None where neither speaks of text.

    others: more frames of the same image. is_harmless: whether the text on a frame can name nobody, given
    where it is (``runs_of_text``).
    """
    said = str(dataset.get("BurnedInAnnotation", "")).strip().upper()
    is_slice = _is_original_slice(dataset)
    if said == "YES":
        return "text is burnt into the picture (the file says so); check that it does not name the patient"
    if any(_may_name(frame, is_slice, is_harmless) for frame in (pixels, *others)):
        note = ", though the file says there is none" if said == "NO" else ""
        return f"text seems to be burnt into the picture{note}; check that it does not name the patient"
    return None


def _may_name(
    frame: np.ndarray, is_slice: bool, is_harmless: Callable[[np.ndarray, list[Lettering]], bool] | None
) -> bool:
    """Whether text is seen on a frame that is not known to name nobody."""
    runs = runs_of_text(frame, LETTERS_OF_SLICE if is_slice else LETTERS)
    if not runs or is_harmless is None:
        return bool(runs)
    return not is_harmless(frame, runs_of_text(frame) if is_slice else runs)


def _is_original_slice(dataset: Dataset) -> bool:
    """A slice of MRI or CT as it was taken: placed in the patient, and neither derived nor captured."""
    kind = [str(value).strip().upper() for value in dataset.get("ImageType", None) or ()]
    is_slice = str(dataset.get("SOPClassUID", "")) in (MRImageStorage, CTImageStorage)
    placed = "ImagePositionPatient" in dataset and "ImageOrientationPatient" in dataset
    return is_slice and placed and kind[:2] == ["ORIGINAL", "PRIMARY"] and "ConversionType" not in dataset


def runs_of_text(pixels: np.ndarray, letters: int = LETTERS) -> list[Lettering]:
    """Where lettering is seen, as ``lines_of_text`` counts it: in all directions, polarities and sizes."""
    found: list[Lettering] = []
    for factor, ink in _inks(pixels):
        for run in _lines(ink, letters)[1]:
            x0, y0, x1, y1 = (factor * edge for edge in (run.x0, run.y0, run.x1, run.y1))
            found.append(Lettering(x0, y0, x1, y1, run.is_turned))
    return found


def lines_of_text(pixels: np.ndarray, letters: int = LETTERS) -> int:
    """How many lines of lettering are seen, in the direction and polarity that have most.

    letters: that a line has at least. pixels: (rows, columns) of any unsigned type, or (rows, columns, 3) of
    bytes.
    """
    return max((_lines(ink, letters)[0] for _, ink in _inks(pixels)), default=0)


def _inks(pixels: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """The picture in full and half size, and turned over, with how many pixels one of it stands for."""
    import cv2

    if min(pixels.shape[:2]) < 32:
        return
    grey = _bytes_of(_brightest_channel(pixels) if pixels.ndim == 3 else pixels)
    half = cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    for factor, size in ((1, grey), (2, half)):
        yield from ((factor, ink) for ink in (size, cv2.bitwise_not(size)))


def _brightest_channel(colour: np.ndarray) -> np.ndarray:
    import cv2

    red, green, blue = cv2.split(colour)
    brightest: np.ndarray = cv2.max(cv2.max(red, green), blue)
    return brightest


def _bytes_of(grey: np.ndarray) -> np.ndarray:
    """Eight bits between the dark and the bright end of most of the picture."""
    import cv2

    step = 7 if grey.size > 1 << 16 else 1
    low, high = np.percentile(grey[::step, ::step], (0.5, 99.8))
    above = cv2.subtract(np.ascontiguousarray(grey), float(int(low)))
    scaled: np.ndarray = cv2.convertScaleAbs(above, alpha=255 / max(float(high - low), 1.0))
    return scaled


@dataclass
class _Pieces:
    """Connected pieces along a line: where they begin, how long they are, their height and place across."""

    start: np.ndarray
    length: np.ndarray
    height: np.ndarray
    across: np.ndarray

    def of(self, which: np.ndarray) -> _Pieces:
        return _Pieces(self.start[which], self.length[which], self.height[which], self.across[which])

    def turned(self) -> _Pieces:
        return _Pieces(self.across, self.height, self.length, self.start)


@dataclass(frozen=True)
class Lettering:
    """Where a run of letters is: left, top, right and lower edge in pixels. is_turned: along a column."""

    x0: int
    y0: int
    x1: int
    y1: int
    is_turned: bool = False


@dataclass
class _Strokes:
    """Thin bright structures: the picture, how far they stand out of it, where, and how many.

    letters: that a line of text has at least.
    """

    ink: np.ndarray
    hat: np.ndarray
    mask: np.ndarray
    count: int = 0
    letters: int = LETTERS
    runs: list[Lettering] = field(default_factory=list)

    def look_like_ink(self, left: np.ndarray, top: np.ndarray, width: np.ndarray, height: np.ndarray) -> bool:
        """True where the pieces are sharp, all of one brightness, and mostly no plain bars."""
        sharp, bright, bars = [], [], 0
        for x, y, w, h in zip(left, top, width, height, strict=True):
            inside = self.mask[y : y + h, x : x + w] > 0
            hat = self.hat[y : y + h, x : x + w][inside]
            sharp.append(float((hat > 0.67 * hat.max()).mean()))
            bright.append(float(np.percentile(self.ink[y : y + h, x : x + w][inside], 75)))
            bars += bool(inside.mean() > SOLID)
        if 3 * bars > len(sharp):
            return False
        needed = SHARP if len(sharp) > LETTERS else SHARP_OF_FEW
        return float(np.median(sharp)) >= needed and max(bright) - min(bright) <= 255 * INK

    def look_like_bodies(self, run: _Pieces, letters: np.ndarray, *, is_turned: bool) -> bool:
        """True for pieces that are thick for their height and have few strokes for their length, and for long
        ones that are mostly empty.

        letters: how many each piece would be, by its length. Vertebrae and discs of a slice stand in a line
        and are as long as three letters, but each is one stroke, and no thin one. The bone between them and
        the canal is thin with a spur at each plate; letters that touch leave less of their box empty.
        """
        import cv2

        boxes = run.turned() if is_turned else run
        thick, strokes, filled = [], [], []
        for x, y, w, h in zip(boxes.start, boxes.across, boxes.length, boxes.height, strict=True):
            inside = (self.mask[y : y + h, x : x + w] > 0).astype(np.uint8)
            to_edge = cv2.distanceTransform(np.pad(inside, 1), cv2.DIST_L2, 3)
            thick.append(2 * float(to_edge.max()) - 1)
            filled.append(float(inside.mean()))
            across = np.pad(inside.T if is_turned else inside, ((0, 0), (1, 0)))
            strokes.append(int((np.diff(across.astype(np.int8), axis=1) == 1).sum(axis=1).max()))
        size = float(np.median(run.height))
        if np.mean(letters) >= JOINED and np.median(filled) < EMPTY:
            return True
        return bool(np.median(thick) > THICK * size and np.mean(strokes / letters) < STROKES)


def _strokes(ink: np.ndarray) -> _Strokes:
    """Structures thinner than STROKE, parted where they are less than half as bright as their middle."""
    import cv2

    wide, near = (cv2.getStructuringElement(cv2.MORPH_RECT, (side, side)) for side in (STROKE, 9))
    hat = cv2.morphologyEx(ink, cv2.MORPH_TOPHAT, wide)
    mask = cv2.threshold(hat, int(255 * CONTRAST), 255, cv2.THRESH_BINARY)[1]
    if cv2.countNonZero(mask) == 0:
        return _Strokes(ink, hat, mask)
    half_of_peak = cv2.convertScaleAbs(cv2.dilate(hat, near), alpha=0.5)
    return _Strokes(ink, hat, cv2.bitwise_and(mask, cv2.compare(hat, half_of_peak, cv2.CMP_GT)))


def _lines(ink: np.ndarray, letters: int) -> tuple[int, list[Lettering]]:
    """Lines of bright lettering along rows or along columns, whichever are more; and where all are."""
    import cv2

    strokes = _strokes(ink)
    outlines, nesting = cv2.findContours(strokes.mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    if not PIECES <= len(outlines) <= _TOO_MANY:
        return 0, []
    outer = nesting[0][:, 3] < 0  # holes have a parent
    strokes.count, strokes.letters = len(outlines), letters
    boxes = np.array([cv2.boundingRect(one) for one, keep in zip(outlines, outer, strict=True) if keep])
    left, top, width, height = boxes.T
    rows = _Pieces(left, width, height, top)
    count = max(
        _lines_along(pieces, strokes, is_turned=is_turned)
        for pieces, is_turned in ((rows, False), (rows.turned(), True))
    )
    return count, strokes.runs


def _lines_along(pieces: _Pieces, strokes: _Strokes, *, is_turned: bool) -> int:
    """Lines of pieces of letter size that stand on one line, or (upside down) hang from one."""
    shaped = (pieces.height >= SMALLEST) & (pieces.height <= LARGEST) & (pieces.length <= 4 * pieces.height)
    if shaped.sum() < PIECES:
        return 0
    letters = pieces.of(shaped)
    edges = (letters.across + letters.height, letters.across)
    return max(len(_lines_on(edge, letters, strokes, is_turned)) for edge in edges)


def _lines_on(edge: np.ndarray, letters: _Pieces, strokes: _Strokes, is_turned: bool) -> list[int]:
    """Places across the lines where a run of letters has its common edge."""
    count = np.bincount(edge, minlength=int(edge.max()) + 2)
    around = count + np.roll(count, 1) + np.roll(count, -1)
    found: list[int] = []
    for line in np.flatnonzero(around >= PIECES).tolist():
        if found and line - found[-1] <= 2:
            continue
        near = letters.of(np.abs(edge - line) <= 1)
        runs = [run for run in _runs(near) if _is_lettering(run, strokes, is_turned)]
        strokes.runs += [_around(run, is_turned) for run in runs]
        if runs:
            found.append(line)
    return found


def _runs(near: _Pieces) -> list[_Pieces]:
    """Runs of pieces on one line that are alike in height and follow each other as letters do."""
    runs = []
    for size in np.unique(near.height).tolist():
        alike = near.of((near.height >= size) & (near.height <= 1.5 * size + 1))
        alike = alike.of(np.argsort(alike.start, kind="stable"))
        gap = alike.start[1:] - (alike.start + alike.length)[:-1]
        breaks = np.flatnonzero((gap > 1.1 * size) | (gap < -1)) + 1
        parts = np.split(np.arange(len(alike.start)), breaks)
        runs += [alike.of(part) for part in parts if len(part) >= PIECES]
    return runs


def _around(run: _Pieces, is_turned: bool) -> Lettering:
    pieces = run.turned() if is_turned else run
    right, bottom = (int((start + size).max()) for start, size in
                     ((pieces.start, pieces.length), (pieces.across, pieces.height)))  # fmt: skip
    return Lettering(int(pieces.start.min()), int(pieces.across.min()), right, bottom, is_turned)


def _is_lettering(run: _Pieces, strokes: _Strokes, is_turned: bool) -> bool:
    """True for as many letters as text has at least (a long piece is several) that look like ink."""
    if strokes.count > GRAINY[0] + GRAINY[1] * strokes.ink.size / 1e6 and len(run.start) <= LETTERS:
        return False
    size = float(np.median(run.height))
    letters = np.maximum(1, np.round(run.length / (0.85 * size)))
    if letters.sum() < strokes.letters:
        return False
    if strokes.letters > LETTERS and strokes.look_like_bodies(run, letters, is_turned=is_turned):
        return False
    across = run.turned() if is_turned else run
    return strokes.look_like_ink(across.start, across.across, across.length, across.height)
