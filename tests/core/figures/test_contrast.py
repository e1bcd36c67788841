"""Text of figures on its ground: 4.5:1 or more, the contrast of WCAG 2.2 (success criterion 1.4.3)."""

import pytest

from core.figures.style import DARK, GRADE_COLOURS, LIGHT, NO_GRADE_COLOUR, ink_on


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    dark, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dark + 0.05)


def test_contrast_is_that_of_the_standard():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("colour", [*GRADE_COLOURS, NO_GRADE_COLOUR])
def test_a_grade_is_read_on_its_colour(colour):
    assert contrast(ink_on(colour), colour) >= 4.5


@pytest.mark.parametrize("on", [LIGHT, DARK])
def test_text_and_notes_of_figures_are_read(on):
    assert contrast(on.text, on.background) >= 4.5
    assert contrast(on.muted, on.background) >= 4.5
