"""Joint, side, view and mode of ultrasound, from the words of four languages, tags and pixels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from core.imaging.ultrasound import terms
from core.scores.synovitis import JOINTS
from data.dicom.classify import classify
from data.dicom.ultrasound.shown import NOTHING, shown_in
from data.dicom.ultrasound.words import joints_in
from data.dicom.votes import plain
from tests.helpers.drawn_ultrasound import Screen, draw

GREY = np.zeros((1, 60, 80), np.uint16)


def header(**tags):
    dataset = Dataset()
    dataset.Modality = "US"
    for name, value in tags.items():
        setattr(dataset, name, value)
    return dataset


def shown(pixels=GREY, **tags):
    return shown_in(header(**tags), "US", pixels)


def test_the_joints_are_those_of_the_score():
    assert terms.JOINTS == JOINTS


NAMED = {
    "MCP2": ["MCP2 R dorsal", "MCP II rechts", "2nd MCP left", "second metacarpophalangeal joint", "mcp_02",
             "Fingergrundgelenk Dig II", "Zeigefingergrundgelenk", "2ème MCP", "MCP 2 3cm", "L12-5 MCP2",
             "MCF 2 derecha"],
    "MCP1": ["Daumengrundgelenk", "MCP I", "first MCP"],
    "PIP3": ["PIP D3 re", "3rd proximal interphalangeal joint", "Mittelgelenk Dig III", "IFP 3 izq", "PIP-3"],
    "DIP5": ["DIP 5", "little finger DIP", "Endgelenk Dig 5", "interfalángica distal 5"],
    "IP1": ["thumb IP", "IP I", "Daumen IP", "interphalangeal 1"],
    "MTP1": ["MTP1 L", "Zehengrundgelenk 1", "MTF 1"],
    "RC": ["Radiocarpiana", "wrist radiocarpal", "Handgelenk radiokarpal", "poignet radio-carpien"],
    "IC": ["Intercarpiana", "midcarpal joint"],
    "DRU": ["Radiocubital distal", "DRUJ", "distal radioulnar"],
    "WR": ["Wrist dorsal", "Handgelenk", "muñeca", "poignet droit"],
    "ELB": ["Ellenbogen", "codo", "elbow"],
    "KNEE": ["Knie suprapatellar", "rodilla", "genou"],
    "TTJ": ["OSG links", "tibiotalar", "cheville"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("joint", "text"), [(joint, text) for joint, texts in NAMED.items() for text in texts]
)
def test_a_joint_is_known_by_its_words(joint, text):
    assert joints_in(plain(text)) == [joint]
    assert shown(SeriesDescription=text).columns["joint"] == joint


@pytest.mark.parametrize(
    "text", ["MCP", "small joints", "lymph node", "MCP 2-5", "PIP 2/3", "MCP2 PIP2", "MCP 7", ""]
)
def test_a_word_for_no_joint_or_for_several_gives_none(text):
    assert shown(SeriesDescription=text).columns["joint"] is None


@given(
    st.sampled_from(["MCP", "PIP", "DIP", "MTP"]),
    st.integers(2, 5),
    st.sampled_from(
        [
            "{kind}{n}",
            "{kind} {n}",
            "{kind}-{n}",
            "{kind}_{n}",
            "{kind} D{n}",
            "Dig {n} {kind}",
            "{n}. {kind}",
        ]
    ),
    st.sampled_from(["", " R", " left", " dorsal long", " PD", " power Doppler", " 4 cm", " 18 MHz"]),
    st.sampled_from([str.upper, str.lower, str.title]),
)
def test_a_finger_joint_is_known_however_its_number_is_written(kind, number, form, behind, case):
    text = case(form.format(kind=kind, n=number)) + behind
    assert joints_in(plain(text)) == [f"{kind}{number}"]


def test_a_word_about_the_whole_examination_or_a_preset_is_not_enough():
    found = shown(StudyDescription="US hands and wrists", BodyPartExamined="HAND")
    assert found.columns["joint"] is None
    assert shown(BodyPartExamined="WRIST").columns["joint"] is None
    assert shown(BodyPartExamined="WRIST").record["joint"]["confidence"] < 0.5
    assert shown(BodyPartExamined="WRIST", StudyDescription="wrist").columns["joint"] == "WR"


def test_words_that_contradict_each_other_make_less_sure():
    alone = shown(SeriesDescription="MCP2").record["joint"]["confidence"]
    against = shown(SeriesDescription="MCP2", ProtocolName="MCP3").record["joint"]
    assert against["confidence"] < 0.55 < alone
    assert "contradicted_by" in against


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("MCP2 dorsal long", "dorsal longitudinal"),
        ("MCP2 dorsal längs", "dorsal longitudinal"),
        ("MCP2 volar quer", "volar transverse"),
        ("MCF 2 palmar transversal", "volar transverse"),
        ("MCP2 face dorsale, coupe longitudinale", "dorsal longitudinal"),
        ("MCP2 transverse", "transverse"),
        ("MCP2", ""),
    ],
)
def test_the_view_is_a_surface_and_a_plane(text, view):
    assert (shown(SeriesDescription=text).columns["view"] or "") == view
    assert classify(header(SeriesDescription=text)).view == view
    assert classify(header(SeriesDescription=text)).body_part == "hand"


@pytest.mark.parametrize(
    ("text", "side"),
    [
        ("MCP2 R", "R"),
        ("MCP II links", "L"),
        ("MCF 2 izquierda", "L"),
        ("MCP2 droite", "R"),
        ("MCF 2 dcha", "R"),
        ("MCP2", ""),
    ],
)
def test_the_side_is_known_by_its_words(text, side):
    assert classify(header(SeriesDescription=text)).laterality == side


def test_a_side_that_a_tag_and_a_word_contradict_is_none():
    found = classify(header(SeriesDescription="MCP2 left", ImageLaterality="R"))
    assert found.laterality == ""
    assert "contradicts itself about the side" in found.warnings[0]


@pytest.mark.parametrize(
    ("tags", "mode"),
    [
        ({"SeriesDescription": "MCP2 PD"}, "PD"),
        ({"SeriesDescription": "MCP2 power Doppler"}, "PD"),
        ({"SeriesDescription": "MCP2 Modo B"}, "B"),
        ({"SeriesDescription": "MCP2 B-Bild"}, "B"),
        ({"SeriesDescription": "MCP2 échelle de gris"}, "B"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "", "0101"]}, "PD"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "", "0001"]}, "B"),
        ({"SeriesDescription": "MCP2"}, None),
    ],
)  # fmt: skip
def test_the_mode_is_known_by_words_and_by_the_type_of_image(tags, mode):
    assert shown(**tags).columns["mode"] == mode


def test_coloured_flow_says_power_doppler_and_outweighs_a_preset():
    doppler = draw(Screen(flow=30))[None]
    found = shown(doppler, SeriesDescription="MCP2")
    assert found.columns["mode"] == "PD"
    assert found.record["mode"]["source"] == "pixels"
    assert shown(doppler, UltrasoundColorDataPresent=0).columns["mode"] == "PD"


def test_a_region_of_colour_says_power_doppler_where_there_is_no_signal():
    region = Dataset()
    region.RegionSpatialFormat, region.RegionDataType = 1, 2
    for name, value in (("MinX0", 1), ("MinY0", 1), ("MaxX1", 50), ("MaxY1", 40)):
        setattr(region, f"RegionLocation{name}", value)
    found = shown(draw(Screen())[None], SequenceOfUltrasoundRegions=Sequence([region]))
    assert found.columns["mode"] == "PD"
    assert found.columns["areas"][0]["kind"] == "doppler"


def test_other_images_than_ultrasound_show_none_of_it():
    assert shown_in(header(SeriesDescription="MCP2 PD"), "MR", GREY) == NOTHING
