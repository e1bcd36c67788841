"""Sequence and region by the tags of scanners: right, or not known."""

import pytest
from pydicom.dataset import Dataset

from core.imaging import sequences as names
from data.dicom.classify import SURE_ENOUGH
from data.dicom.mr.region import region_of
from data.dicom.mr.sequence import sequence_of


def header(**tags):
    dataset = Dataset()
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    return dataset


def spin(echo, repetition, inversion=None, *, methods=("SE",), options=None, words="", kind=None, **tags):
    given = {"EchoTime": echo, "RepetitionTime": repetition, "ScanningSequence": list(methods)}
    given |= {"InversionTime": inversion} if inversion is not None else {}
    given |= {"ScanOptions": options} if options else {}
    given |= {"SeriesDescription": words} if words else {}
    given |= {"ImageType": ["ORIGINAL", "PRIMARY", *kind]} if kind else {}
    return header(**given, **tags)


def sure(settled):
    return settled["value"] if settled["confidence"] >= SURE_ENOUGH else ""


@pytest.mark.parametrize(
    ("dataset", "expected"),
    [
        # by numbers alone
        (spin(60, 4000, 160, methods=("SE", "IR")), names.STIR),
        (spin(42, 3500, 220, methods=("IR",)), names.STIR),
        (spin(10, 600), names.T1),
        (spin(100, 3500), names.T2),
        (spin(100, 3500, options=["SAT1", "FS"]), names.T2_FS),
        (spin(12, 550, options="FS"), names.T1_FS),
        (spin(15, 2500), names.PD),
        (spin(110, 9000, 2500, methods=("SE", "IR")), names.FLAIR),
        (spin(9, 2200, 900, methods=("SE", "IR")), names.T1),
        (spin(18, 700, methods=("GR",), FlipAngle=25), names.T2_STAR),
        (spin(4, 120, methods=("GR",), FlipAngle=70), names.T1),
        (spin(80, 5000, methods=("EP",)), names.DIFFUSION),
        (spin(2, 4, methods=("GR",), SequenceVariant="SS", FlipAngle=60), ""),
        (spin(55, 1500), ""),
        # by words alone
        (header(SeriesDescription="STIR sag LWS"), names.STIR),
        (header(ProtocolName="t2_tirm_sag_dark"), names.TIRM),
        (header(SeriesDescription="SAG T2 FRFSE FATSAT"), names.T2_FS),
        (header(SeriesDescription="T2_SPAIR_SAG"), names.T2_FS),
        (header(SeriesDescription="Sag T1 TSE"), names.T1),
        (header(SeriesDescription="T2W_TSE sag"), names.T2),
        (header(SeriesDescription="t2_tse_dixon_sag_W"), names.T2_WATER),
        (header(SeriesDescription="t2_tse_dixon_sag_F"), names.FAT_IMAGE),
        (header(SeriesDescription="t1_tse_dixon_sag_W"), names.T1_WATER),
        (header(SeriesDescription="dixon sag W"), ""),
        (header(SeriesDescription="T1 and T2 sag"), ""),
        (header(SeriesDescription="sag"), ""),
        (header(), ""),
        # together
        (spin(60, 4000, 160, methods=("SE", "IR"), words="t2_tirm_sag"), names.TIRM),
        (spin(90, 4000, words="T2 dixon", kind=("WATER",)), names.T2_WATER),
        (spin(90, 4000, words="T2 dixon", kind=("FAT",)), names.FAT_IMAGE),
        (spin(90, 4000, words="T2 dixon", kind=("OPP_PHASE",)), names.OPPOSED),
        (spin(10, 600, words="T1 dixon", kind=("IN_PHASE",)), names.T1),
        (spin(110, 3000, words="T2 TSE", SequenceName="*tse2d1_17"), names.T2),
        # against each other
        (spin(10, 600, words="T2 TSE sag"), ""),
        (spin(10, 600, words="STIR sag"), ""),
        (spin(110, 9000, 2500, methods=("SE", "IR"), words="tirm sag"), ""),
        (spin(10, 600, words="T2 TSE sag", ProtocolName="T2 TSE sag"), ""),
    ],
)  # fmt: skip
def test_the_sequence_by_tags(dataset, expected):
    assert sure(sequence_of(dataset)) == expected


def enhanced(**groups):
    shared = Dataset()
    for sequence, tags in groups.items():
        setattr(shared, sequence, [header(**tags)])
    return header(SharedFunctionalGroupsSequence=[shared])


@pytest.mark.parametrize(
    ("dataset", "expected"),
    [
        (
            enhanced(
                MRImageFrameTypeSequence={"AcquisitionContrast": "STIR"},
                MREchoSequence={"EffectiveEchoTime": 60.0},
                MRTimingAndRelatedParametersSequence={"RepetitionTime": 4000},
            ),
            names.STIR,
        ),
        (
            enhanced(
                MREchoSequence={"EffectiveEchoTime": 60.0},
                MRTimingAndRelatedParametersSequence={"RepetitionTime": 4000},
                MRModifierSequence={"InversionRecovery": "YES", "InversionTimes": 160.0},
            ),
            names.STIR,
        ),
        (
            enhanced(
                MRImageFrameTypeSequence={"AcquisitionContrast": "T2"},
                MRModifierSequence={"SpectrallySelectedSuppression": "FAT"},
            ),
            names.T2_FS,
        ),
        (enhanced(MRImageFrameTypeSequence={"AcquisitionContrast": "T1"}), names.T1),
    ],
)
def test_the_sequence_of_an_enhanced_file(dataset, expected):
    assert sure(sequence_of(dataset)) == expected


@pytest.mark.parametrize(
    ("tags", "height", "expected"),
    [
        ({"BodyPartExamined": "LSPINE"}, 300, names.LUMBAR),
        ({"BodyPartExamined": "CSPINE"}, 240, names.CERVICAL),
        ({"SeriesDescription": "T2 sag HWS"}, 250, names.CERVICAL),
        ({"SeriesDescription": "t1_tse_sag_BWS"}, 380, names.THORACIC),
        ({"SeriesDescription": "Sag T2 lumbar spine"}, 280, names.LUMBAR),
        ({"ProtocolName": "Ganzwirbelsaeule"}, 700, names.WHOLE),
        ({"SeriesDescription": "whole spine STIR composed"}, 800, names.WHOLE),
        ({"BodyPartExamined": "SPINE"}, 520, names.WHOLE),
        ({"BodyPartExamined": "SPINE"}, 300, ""),
        ({"BodyPartExamined": "SPINE"}, None, ""),
        ({"StudyDescription": "MRI LWS"}, 300, names.LUMBAR),
        ({"StudyDescription": "MRI whole spine", "SeriesDescription": "t2 cervical"}, 250, names.CERVICAL),
        # wrong or in doubt
        ({"BodyPartExamined": "LSPINE", "SeriesDescription": "knee sag pd"}, 160, ""),
        ({"BodyPartExamined": "LSPINE", "StudyDescription": "MR Knie rechts"}, 180, ""),
        ({"BodyPartExamined": "LSPINE", "StudyDescription": "MRI brain"}, 240, ""),
        ({"BodyPartExamined": "LSPINE", "SeriesDescription": "t2 sag HWS"}, 250, ""),
        ({"BodyPartExamined": "LSPINE"}, 90, ""),
        ({"BodyPartExamined": "CSPINE"}, 600, ""),
        ({"SeriesDescription": "HWS und LWS"}, 300, ""),
        ({"BodyPartExamined": "KNEE"}, 300, ""),
        ({}, 300, ""),
        ({}, 900, ""),
    ],
)  # fmt: skip
def test_the_region_by_tags(tags, height, expected):
    assert sure(region_of(header(**tags), height)) == expected
