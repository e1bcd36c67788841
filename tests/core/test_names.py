"""One rule for names: exact first, then what cannot change the meaning; never another subject or visit."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.names import (
    Match,
    Names,
    are_same,
    is_occasion,
    look_alike_warnings,
    look_alikes,
    loose,
    name_without_occasion,
    on_day,
    plain,
    tidy,
    with_number,
)

NUMBERS = st.integers(0, 2000)
INVISIBLE = st.sampled_from(["\u200b", "\ufeff", "\u00ad", "\u200d", "\u2060", "\u200e"])
BLANKS = st.sampled_from([" ", "\u00a0", "\u2009", "\t", "\u3000"])
WORDS = st.sampled_from(["Week", "Day", "Visit", "Month", "Screening", "S", "Patient"])
DASHES = st.sampled_from(["-", "\u2010", "\u2011", "\u2012", "\u2013", "\u2212", "\uff0d"])
FORMS = [
    "{w} {n}", "{w}{n}", "{w}-{n}", "{w} -{n}", "{w}_{n}", "{n}", "0{n}", "{n}.0", "{w} {n}.5", "{n}-{m}",
    "{m}-{n}", "{n}{m}", "{n}.{m}", "{n} {m}", "{w} {n}/{m}", "{w} {n}-0{m}", "+{n}", "-{n}",
]  # fmt: skip


@st.composite
def names_of_trials(draw):
    form = draw(st.sampled_from(FORMS))
    return form.format(w=draw(WORDS), n=draw(st.integers(0, 30)), m=draw(st.integers(0, 30)))


@st.composite
def same_written_otherwise(draw, name):
    """The name in other case, with other blanks, full-width signs and characters that cannot be seen."""
    text = draw(st.sampled_from([name, name.upper(), name.lower(), name.swapcase()]))
    wide = draw(st.booleans())
    text = "".join(
        draw(BLANKS)
        if char == " "
        else chr(ord(char) + 0xFEE0)
        if wide and char.isascii() and char.isalnum()
        else char
        for char in text
    )
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(INVISIBLE) + text[at:]
    return draw(BLANKS) * draw(st.integers(0, 1)) + text + draw(BLANKS) * draw(st.integers(0, 1))


@given(st.data())
def test_a_name_is_found_however_it_is_written(data):
    name = data.draw(names_of_trials())
    written = data.draw(same_written_otherwise(name))
    assert Names([name]).find(written).name == name
    assert Names([name], are_visits=True).find(written).name == name
    assert are_same(name, written)


@given(st.data(), st.booleans())
def test_what_is_found_has_the_same_numbers_in_the_same_order_and_the_same_sign(data, are_visits):
    study = data.draw(st.lists(names_of_trials(), min_size=1, max_size=12, unique=True))
    written = data.draw(names_of_trials().flatmap(same_written_otherwise))
    match = Names(study, are_visits=are_visits).find(written)
    if match.name is not None and match.name != written:
        assert numbers(match.name) == numbers(written)
        assert is_negative(match.name, are_visits) == is_negative(written, are_visits)


def numbers(name):
    """The numbers of a name, .0 at its end apart, by other means than those of the program."""
    found = [int(text) for text in re.findall(r"\d+", ascii_of(name))]
    return found[:-1] if re.search(r"\d\.0+$", ascii_of(name)) else found


def is_negative(name, are_visits):
    text = ascii_of(name)
    return re.search(r"^-\d|\s-\d" if not are_visits else r"(?:^|[^\d\s])\s*-\s*\d|\s-\d", text) is not None


def ascii_of(name):
    text = re.sub("[\u200b\ufeff\u00ad\u200d\u2060\u200e]", "", name)
    return "".join(
        chr(ord(char) - 0xFEE0) if 0xFF01 <= ord(char) <= 0xFF5E else char for char in text
    ).strip()


@given(NUMBERS, NUMBERS, DASHES)
def test_swapped_numbers_are_another_subject(first, second, dash):
    assume(first != second)
    match = Names([f"{second}-{first}"]).find(f"{first}{dash}{second}")
    assert match.name is None


@given(WORDS, NUMBERS, DASHES, st.sampled_from(["", " "]), st.sampled_from(["", " "]))
def test_a_sign_is_another_visit(word, number, dash, before, after):
    negative = f"{word}{before}{dash}{after}{number}"
    assert Names([f"{word} {number}"], are_visits=True).find(negative).name is None
    assert Names([f"{word} -{number}"], are_visits=True).find(f"{word} {number}").name is None
    assert (
        Names([f"{word} -{number}", f"{word} {number}"], are_visits=True).find(negative).name
        == f"{word} -{number}"
    )


@pytest.mark.parametrize(
    "first, second",
    [
        ("9.2", "92"), ("1.1", "1.10"), ("1.5", "1.05"), ("W10", "W1.0"), ("1 11", "11 1"), ("S1", "S10"),
        ("52", "5\u00b2"), ("11", "1\u2460"), ("A+", "A-"), ("V2 -28", "V2 28"), ("-7", "7"),
        ("\u0915\u093f", "\u0915\u093e"), ("\u738b", "\u6797"), ("A", "\u0410"),
    ],
)  # fmt: skip
def test_these_are_never_one(first, second):
    for are_visits in (False, True):
        assert Names([second], are_visits=are_visits).find(first).name is None
        assert Names([first], are_visits=are_visits).find(second).name is None
        assert not are_same(first, second, are_visits=are_visits)


@pytest.mark.parametrize(
    "written, name",
    [
        ("Mo 12", "Month 12"), ("D1", "Day 1"), ("Yr 2", "Year 2"), ("V02", "Visit 2"),
        ("wk52", "Week 52"), ("W 052", "Week 52"), ("visit week 52", "W52"), ("baseline", "BL"),
        ("SCR", "Screening"), ("M6", "Month 6"), ("end of study", "End_of-Study"), ("Week +4", "Week 4"),
        ("week \u20134", "Week -4"), ("9,2", "9.2"), ("Visit 3 (Week 12)", "Visit 3 - Week 12"),
    ],
)  # fmt: skip
def test_usual_forms_of_visits_are_one(written, name):
    assert Names([name, "Week 104", "Week 4 follow-up"], are_visits=True).find(written).name == name


@pytest.mark.parametrize(
    "written, name, is_rewritten",
    [
        ("7", "007", True), ("7.0", "7", True), ("s 001", "S-001", False), ("a001", "A001", False),
        ("RA01-701-1015", "RA01/701/1015", False), ("A001\u200b", "A001", False),
        ("701-15", "701-0015", True),
    ],
)  # fmt: skip
def test_usual_forms_of_subjects_are_one(written, name, is_rewritten):
    match = Names([name, "S-002", "70-115"]).find(written)
    assert (match.name, match.is_rewritten) == (name, is_rewritten)


def test_the_exact_name_comes_first():
    names = ["007", "7", "7.0", "A001", "a001", "S-1", "S1"]
    assert [Names(names).find(name) for name in names] == [Match(name) for name in names]


@pytest.mark.parametrize("written, names", [("0007", ("007", "7")), ("A 001", ("A001", "a001"))])
def test_what_could_be_two_names_is_neither_and_both_are_named(written, names):
    match = Names([*names, "8"]).find(written)
    assert (match.name, match.others, match.is_ambiguous) == (None, names, True)
    assert match.why_not("subject", written, "is unknown") == (
        f"subject {written} may be {names[0]} or {names[1]}; write the one that is meant"
    )


def test_an_unknown_name_names_the_one_that_differs_in_its_sign():
    match = Names(["Week 4", "Week 8"], are_visits=True).find("Week-4")
    assert match.why_not("visit", "Week-4", "is not among the visits") == (
        "visit Week-4 is not among the visits (Week 4 is not the same)"
    )


@given(st.text(max_size=20), st.booleans())
def test_any_text_can_be_compared_with_itself(text, is_visit):
    assert tidy(tidy(text)) == tidy(text)
    assert plain(plain(text)) == plain(text) == plain(tidy(text))
    assert loose(text, is_visit=is_visit) == loose(tidy(text), is_visit=is_visit)
    assert Names([text]).find(text).name == text


def test_a_tidy_name_has_nothing_that_cannot_be_seen():
    assert tidy("\ufeff S\u200b1 \u00a0A\u0000\t") == "S1 A"


# -- look-alikes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "group",
    [
        ("007", "7"),
        ("7", "7.0"),
        ("A001", "a001"),
        ("S1", "S1\u200b"),
        ("A-1", "A1"),
        ("\u0410\u0412-7", "AB-7"),
    ],
)
def test_look_alikes_are_found_among_others(group):
    assert look_alikes(["1", "11-1", *group, "1-11", "P70"]) == [group]


@given(st.lists(st.integers(0, 99).map(str), unique=True))
def test_different_numbers_do_not_look_alike(names):
    assert look_alikes(names) == []


@given(
    st.lists(st.tuples(st.integers(1, 9999), st.integers(0, 4)), unique_by=lambda pair: pair[0], min_size=1)
)
def test_every_lost_zero_is_found(numbers_and_zeros):
    full = [f"{'0' * zeros}{number}" for number, zeros in numbers_and_zeros]
    lost = [str(number) for number, _ in numbers_and_zeros]
    wanted = {frozenset(pair) for pair in zip(full, lost, strict=True) if pair[0] != pair[1]}
    assert {frozenset(group) for group in look_alikes([*full, *lost])} == wanted


def test_visits_with_and_without_a_sign_do_not_look_alike():
    assert look_alikes(["Week -4", "Week 4", "Day-1", "Day 1", "W10", "W1"], are_visits=True) == []
    assert look_alikes(["Week 4", "wk4", "W 04", "Week 8"], are_visits=True) == [("Week 4", "wk4", "W 04")]


def test_a_warning_names_them_and_says_what_to_do():
    assert look_alike_warnings("subject", ["007", "8", "7"]) == [
        "subjects 007 and 7 look like one subject written in two ways; they count as different: "
        "write them alike if they are one"
    ]
    assert "S1 and S1<U+200B>" in look_alike_warnings("subject", ["S1", "S1\u200b"])[0]
    many = [form.format(n) for n in range(1, 9) for form in ("{}", "0{}")]
    assert "5 and 05 and 3 more look like" in look_alike_warnings("subject", many)[0]
    assert look_alike_warnings("subject", ["1", "2"]) == []


# -- occasions ---------------------------------------------------------------------------------------------


@given(names_of_trials(), st.integers(-400, 4000))
def test_occasions_of_a_visit_are_told_apart_and_lead_back_to_it(visit, day):
    for name in (on_day(visit, day), with_number(visit, day + 0.5)):
        assert is_occasion(name) and name_without_occasion(name) == visit
        assert not are_same(name, visit, are_visits=True)
    assert not is_occasion(visit)
    assert name_without_occasion(visit) == visit
