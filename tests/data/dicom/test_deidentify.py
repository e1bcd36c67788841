"""De-identification by situation: what went in must not be found again in any stored byte."""

import io
import re

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from core.errors import StoreError
from data.dicom.deidentify import deidentify, identity_of, parse_date
from data.dicom.pseudonyms import CohortKey, key_file, open_key
from data.ingest.read_file import Reading, read_film
from data.ingest.sources import Source
from tests.helpers.small_films import as_bytes, film, picture, save

KEY = CohortKey(b"a key of thirty-two bytes for tests")
WORDS = {
    "PatientName": "Wirrwarr^Quentin^Xaver",
    "PatientID": "PNR-778899",
    "OtherPatientIDs": ["OLD-1122", "OLD-3344"],
    "PatientBirthDate": "19611213",
    "PatientBirthName": "Geburtsname^Q",
    "PatientMotherBirthName": "Muttername^Q",
    "PatientAddress": "Ringelnatzweg 17, Hohenfels",
    "PatientTelephoneNumbers": "0815-4711-22",
    "ReferringPhysicianName": "Überweiser^Otto",
    "OperatorsName": "Bedienerin^Ina",
    "PerformingPhysicianName": "Ausfuehrer^Karl",
    "InstitutionName": "Klinikum Hohenfels",
    "InstitutionAddress": "Am Berg 3, Hohenfels",
    "StationName": "ROENTGEN7",
    "AccessionNumber": "ACC20210304X",
    "StudyID": "ST-556677",
    "DeviceSerialNumber": "SN-99887766",
    "PatientComments": "calls every Tuesday, brother of Herr Wirrwarr",
    "ImageComments": "Wirrwarr, LWS seitlich",
    "StudyDescription": "LWS seitlich Wirrwarr",
    "SeriesDescription": "lateral, PNR-778899",
    "ProtocolName": "Wirrwarr spezial",
    "AdditionalPatientHistory": "hip replaced in Hohenfels",
    "RequestingPhysician": "Anforderer^Udo",
    "CountryOfResidence": "Liechtenstein",
    "MilitaryRank": "Oberst",
    "DerivationDescription": "cropped by Bedienerin",
    "ContentDescription": "for Otto",
    "FilterType": "Wirrwarr",
    "SoftwareVersions": "v1 of Klinikum Hohenfels",
}
SECRETS = sorted(
    {
        "Wirrwarr", "Quentin", "Xaver", "PNR-778899", "OLD-1122", "OLD-3344", "19611213", "Geburtsname",
        "Muttername", "Ringelnatzweg", "Hohenfels", "0815-4711-22", "berweiser", "Otto", "Bedienerin",
        "Ausfuehrer", "Klinikum", "Am Berg 3", "ROENTGEN7", "ACC20210304X", "ST-556677", "SN-99887766",
        "Tuesday", "Anforderer", "Liechtenstein", "Oberst", "hip replaced", "LWS seitlich",
    }
)  # fmt: skip


@pytest.fixture
def reading(tmp_path):
    (tmp_path / "staging").mkdir()
    return Reading(KEY, tmp_path / "staging", tmp_path / "films")


@pytest.fixture
def store(tmp_path, reading):
    """Reads a data set through the whole way in; gives the stored data set and all stored bytes."""

    def stored(dataset, name="film.dcm"):
        path = tmp_path / name
        path.write_bytes(dataset if isinstance(dataset, bytes) else as_bytes(dataset))
        outcome = read_film(Source(name, path), reading)
        assert outcome.kind == "film", outcome.reason
        files = [reading.staging / f"{outcome.image['image']}.{end}" for end in ("dcm", "npy")]
        rows = repr((outcome.image, outcome.delivery)).encode()
        return pydicom.dcmread(files[0]), b"".join(file.read_bytes() for file in files) + rows, outcome

    return stored


def found(secrets, content: bytes) -> list[str]:
    """Secrets that occur in the bytes, in any of the usual encodings, without regard to case."""
    lower = content.lower()
    forms = {s: {s.lower().encode(e) for e in ("utf-8", "latin-1", "utf-16-le")} for s in secrets}
    return [secret for secret, encoded in forms.items() if any(form in lower for form in encoded)]


def uids_of(dataset) -> set[str]:
    """Every UID in the data set that is not one of the standard's own."""
    uids = set()

    def take(_, element):
        if element.VR == "UI" and not str(element.value).startswith("1.2.840.10008."):
            uids.add(str(element.value))

    dataset.walk(take)
    return uids


# -- one film -----------------------------------------------------------------------------


def test_nothing_of_the_patient_is_left_in_any_stored_byte(store):
    dataset = film(picture(1), bits=12, SpecificCharacterSet="ISO_IR 100", **WORDS)
    assert found(SECRETS, as_bytes(dataset)) == SECRETS
    _, content, _ = store(dataset)
    assert found(SECRETS, content) == []


def test_private_tags_are_gone(store):
    dataset = film(picture(1), bits=12)
    block = dataset.private_block(0x0019, "WIRRWARR CORP", create=True)
    block.add_new(0x10, "LO", "Wirrwarr^Quentin")
    block.add_new(0x11, "UN", b"PNR-778899")
    nested = Dataset()
    nested.add_new(0x00190010, "LO", "WIRRWARR CORP")
    nested.add_new(0x00191010, "LO", "Quentin")
    dataset.ProcedureCodeSequence = Sequence([nested])
    after, content, _ = store(dataset)
    assert found(["Wirrwarr", "Quentin", "PNR-778899"], content) == []
    assert not [element for element in after if element.tag.is_private]


def test_nested_sequences_are_cleaned_at_every_depth(store):
    inner = Dataset()
    inner.CodeMeaning = "Wirrwarr, Quentin"
    inner.PatientID, inner.PersonName = "PNR-778899", "Quentin^Nested"
    middle = Dataset()
    middle.ContentItemModifierSequence = Sequence([inner])
    middle.ReferencedSOPInstanceUID = "1.2.3.4.5.6"
    middle.TextValue = "seen by Wirrwarr"
    outer = Dataset()
    outer.PurposeOfReferenceCodeSequence = Sequence([middle])
    outer.CodeValue = "keep"
    dataset = film(
        picture(1), bits=12, PatientName="Wirrwarr^Quentin", AnatomicRegionSequence=Sequence([outer])
    )
    after, content, _ = store(dataset)
    assert found(["Wirrwarr", "Quentin", "PNR-778899", "1.2.3.4.5.6"], content) == []
    assert after.AnatomicRegionSequence[0].CodeValue == "keep"


def test_names_in_odd_places_are_found_by_search(store):
    dataset = film(picture(1), bits=12, PatientName="Wirrwarr^Quentin", PatientID="PNR-778899")
    dataset.ManufacturerModelName = "CR 85 (WIRRWARR)"
    dataset.SequenceName = "pnr-778899"
    dataset.Manufacturer = "Kodak"
    after, content, _ = store(dataset)
    assert found(["Wirrwarr", "PNR-778899"], content) == []
    assert "ManufacturerModelName" not in after
    assert after.Manufacturer == "Kodak"


def test_file_meta_preamble_and_padding_carry_nothing(store):
    dataset = film(picture(1), bits=12)
    dataset.file_meta.SourceApplicationEntityTitle = "WIRRWARR_AE"
    dataset.file_meta.PrivateInformationCreatorUID = "1.2.3.4.5"
    dataset.file_meta.PrivateInformation = b"Quentin"
    content = bytearray(as_bytes(dataset))
    content[:12] = b"Wirrwarr 123"
    after, stored, _ = store(bytes(content))
    assert found(["Wirrwarr", "Quentin", "1.2.3.4.5"], stored) == []
    assert stored[:128] == b"\0" * 128
    assert after.file_meta.MediaStorageSOPInstanceUID == after.SOPInstanceUID


def test_overlays_curves_and_unused_bits_are_removed(store):
    pixels = picture(1)
    dataset = film(pixels | 0x8000, bits=12)  # a one-bit overlay in the unused high bits
    dataset.add_new(0x60003000, "OW", b"Wirrwarr")
    dataset.add_new(0x60000022, "LO", "Wirrwarr")
    dataset.add_new(0x50003000, "OW", b"Quentin.")
    after, content, outcome = store(dataset)
    assert found(["Wirrwarr", "Quentin"], content) == []
    assert after.PixelData == pixels.tobytes()
    assert any("bits outside the picture" in warning for warning in outcome.image["warnings"])


def test_comments_in_compressed_frames_are_blanked_and_the_picture_stays(store):
    with open(pydicom.data.get_testdata_file("SC_rgb_jpeg_dcmtk.dcm"), "rb") as stream:
        dataset = pydicom.dcmread(stream)
    frame = pydicom.encaps.get_frame(dataset.PixelData, 0)
    comment = b"\xff\xfe\x00\x12Wirrwarr Quentin"
    before = dataset.pixel_array
    dataset.PixelData = pydicom.encaps.encapsulate([frame[:2] + comment + frame[2:]])
    after, content, _ = store(dataset)
    assert found(["Wirrwarr"], content) == []
    assert (after.pixel_array == before).all()


def test_delivered_pixels_are_copied_without_encoding_them_again(store):
    with open(pydicom.data.get_testdata_file("JPEG2000.dcm"), "rb") as stream:
        content = stream.read()
    dataset = pydicom.dcmread(io.BytesIO(content))
    after, _, _ = store(content)
    assert after.file_meta.TransferSyntaxUID == dataset.file_meta.TransferSyntaxUID
    kept, given = (bytearray(pydicom.encaps.get_frame(d.PixelData, 0)) for d in (after, dataset))
    comment = slice(
        given.index(b"\xff\x64") + 6, given.index(b"\xff\x64") + 2 + given[given.index(b"\xff\x64") + 3]
    )
    assert len(kept) == len(given)
    given[comment] = b" " * len(given[comment])
    assert kept == given
    assert (after.pixel_array == dataset.pixel_array).all()


def test_what_a_viewer_needs_is_kept(store):
    dataset = film(
        picture(1), bits=12, BodyPartExamined="LSPINE", ViewPosition="LL", KVP="81", WindowCenter=2000
    )
    after, _, _ = store(dataset)
    assert (after.BodyPartExamined, after.ViewPosition, after.KVP) == ("LSPINE", "LL", 81)
    assert list(after.PixelSpacing) == [0.2, 0.2]
    assert after.PatientIdentityRemoved == "YES"
    assert [item.CodeValue for item in after.DeidentificationMethodCodeSequence] == ["113100", "113107"]


@pytest.mark.parametrize(
    "entry",
    [
        b"\x08\x00\x32\x10SQ\0\0\x14\0\0\0" + b"\xffWirrwarr" * 2 + b"\xff\xff",  # no sequence
        b"\x08\x00\x32\x10SQ\0\0\x12\0\0\0\xfe\xff\0\xe0\x0a\0\0\0\x08\0\x04\x01Wirrwa",  # no type
        b"\x08\x00\x29\x11IS\x08\0Wirrwarr",  # letters for a number
        b"\x28\x00\x06\x01US\x03\0abc",  # three bytes for a number of two
    ],
    ids=["not a sequence", "cut sequence", "no number", "odd length"],
)
def test_an_unreadable_header_entry_takes_nothing_along(store, entry):
    dataset = film(picture(1), bits=12, PatientName="Wirrwarr^Quentin")
    content = as_bytes(dataset)
    after_group_8 = content.index(b"\x10\x00\x10\x00PN")
    at = after_group_8 if entry.startswith(b"\x08") else content.index(b"\x28\x00\x00\x01US")
    after, stored, _ = store(content[:at] + entry + content[at:])
    assert found(["Wirrwarr", "Quentin"], stored) == []
    assert after.PatientIdentityRemoved == "YES"


# -- UIDs and second deliveries -----------------------------------------------------------


def test_every_uid_is_new_and_the_same_again_in_a_second_delivery(store):
    dataset = film(picture(1), bits=12, FrameOfReferenceUID="1.2.3.99")
    old = uids_of(dataset)
    first, _, one = store(dataset, "a.dcm")
    second, _, two = store(dataset, "b.dcm")
    assert not old & uids_of(first)
    assert uids_of(first) == uids_of(second)
    assert one.image["image"] == two.image["image"]
    assert all(UID(uid).is_valid for uid in uids_of(first))


def test_another_cohort_gives_other_uids_and_names():
    other = CohortKey(b"another key of the same length!!")
    assert KEY.uid("1.2.3") != other.uid("1.2.3")
    assert KEY.pseudonym("PNR-1") != other.pseudonym("PNR-1")


def test_uids_of_the_standard_stay(store):
    after, _, _ = store(film(picture(1), bits=12))
    assert after.SOPClassUID == "1.2.840.10008.5.1.4.1.1.1.1"


def test_references_within_a_series_still_point_to_each_other(store):
    first = film(picture(1), bits=12, SeriesInstanceUID="1.2.3.50")
    reference = Dataset()
    reference.ReferencedSOPClassUID = first.SOPClassUID
    reference.ReferencedSOPInstanceUID = first.SOPInstanceUID
    second = film(
        picture(2), bits=12, SeriesInstanceUID="1.2.3.50", ReferencedImageSequence=Sequence([reference])
    )
    one, _, _ = store(first, "1.dcm")
    two, _, _ = store(second, "2.dcm")
    assert one.SeriesInstanceUID == two.SeriesInstanceUID
    assert two.ReferencedImageSequence[0].ReferencedSOPInstanceUID == one.SOPInstanceUID


def test_a_film_without_uid_gets_one_from_its_content(store):
    dataset = film(picture(1), bits=12)
    content = as_bytes(dataset).replace(b"\x08\x00\x18\x00UI", b"\x08\x00\x19\x00UI")
    first, _, one = store(content, "a.dcm")
    _, _, two = store(content, "b.dcm")
    assert first.SOPInstanceUID
    assert one.image["sop_uid"] == two.image["sop_uid"]


# -- dates --------------------------------------------------------------------------------


def test_two_studies_of_a_patient_keep_their_interval_to_the_day(store):
    first, _, one = store(
        film(picture(1), bits=12, StudyDate="20200215", AcquisitionDate="20200215"), "1.dcm"
    )
    second, _, two = store(
        film(picture(2), bits=12, StudyDate="20210301", AcquisitionDate="20210301"), "2.dcm"
    )
    assert (two.image["film_date"] - one.image["film_date"]).days == 380
    assert (parse_date(second.StudyDate) - parse_date(first.StudyDate)).days == 380
    assert parse_date(first.AcquisitionDate) == one.image["film_date"]
    assert one.image["film_date"].year <= 2019


def test_two_patients_move_by_different_numbers_of_days(store):
    days = set()
    for number in range(12):
        _, _, outcome = store(film(picture(number), bits=12, PatientID=f"P{number}"), f"{number}.dcm")
        days.add(outcome.image["film_date"])
    assert len(days) >= 11


def test_films_of_a_trial_subject_move_together_whatever_the_hospital_number(store):
    films = []
    for number, day in (("HOSP-A-1", "20200101"), ("HOSP-B-9", "20200131")):
        dataset = film(
            picture(int(day)), bits=12, PatientID=number, StudyDate=day, ClinicalTrialSubjectID="S-017"
        )
        films.append(store(dataset, f"{number}.dcm")[2])
    assert (films[1].image["film_date"] - films[0].image["film_date"]).days == 30
    assert films[0].delivery["dates_of"] == films[1].delivery["dates_of"]


def test_other_dates_and_all_times_go(store):
    dataset = film(
        picture(1),
        bits=12,
        StudyTime="101533",
        AcquisitionTime="101544",
        DateOfLastCalibration="20201111",
        AcquisitionDateTime="20210304101555.000000+0100",
    )
    after, content, _ = store(dataset)
    assert found(["101533", "101544", "20201111", "20210304", "101555"], content) == []
    assert re.fullmatch(r"\d{8}", after.AcquisitionDateTime)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("20210304", "2021-03-04"),
        ("1996.10.29", "1996-10-29"),
        ("20210304101555.0+0100", "2021-03-04"),
        ("20211345", None),
        ("", None),
        (None, None),
        ("spring", None),
    ],
)
def test_dates_are_read_in_every_form(text, day):
    assert str(parse_date(text)) == str(day)


# -- study identifiers --------------------------------------------------------------------


def test_study_identifiers_stay_and_others_of_the_trial_go(store):
    dataset = film(
        picture(1),
        bits=12,
        ClinicalTrialSponsorName="Sponsor AG",
        ClinicalTrialSiteName="Klinikum Hohenfels",
        ClinicalTrialProtocolID="AS-17",
        ClinicalTrialSubjectID="S-017",
        ClinicalTrialTimePointID="W52",
        ClinicalTrialTimePointDescription="Week 52",
    )
    after, content, outcome = store(dataset)
    assert (after.ClinicalTrialSubjectID, after.ClinicalTrialTimePointID) == ("S-017", "W52")
    assert after.ClinicalTrialProtocolID == "AS-17"
    assert outcome.delivery["trial_subject"] == "S-017"
    assert outcome.delivery["trial_visit_name"] == "Week 52"
    assert found(["Sponsor AG", "Hohenfels"], content) == []


def test_a_patient_number_that_is_the_subject_number_stays_as_such_only(store):
    dataset = film(
        picture(1), bits=12, PatientID="S-017", PatientName="S-017", ClinicalTrialSubjectID="S-017"
    )
    after, _, _ = store(dataset)
    assert after.ClinicalTrialSubjectID == "S-017"
    assert after.PatientID == KEY.pseudonym("S-017")


def test_a_study_identifier_that_names_the_patient_goes(store):
    dataset = film(
        picture(1), bits=12, PatientName="Wirrwarr^Quentin", ClinicalTrialSubjectID="S-017 Wirrwarr"
    )
    after, content, outcome = store(dataset)
    assert found(["Wirrwarr"], content) == []
    assert "ClinicalTrialSubjectID" not in after
    assert outcome.delivery["trial_subject"] is None
    assert any("held the patient's name" in warning for warning in outcome.image["warnings"])


def test_the_name_of_an_operator_or_device_does_not_touch_the_protocol(store):
    names = {"OperatorsName": "Phantom^Otto", "PatientName": "Phantom^A", "ClinicalTrialSubjectID": "S1"}
    after, _, outcome = store(film(picture(1), bits=12, ClinicalTrialProtocolID="AS-PHANTOM", **names))
    assert after.ClinicalTrialProtocolID == "AS-PHANTOM"
    assert outcome.image["warnings"] == []


# -- burnt-in text ------------------------------------------------------------------------


@pytest.mark.parametrize(("said", "warned"), [("YES", True), ("NO", False), (None, False)])
def test_the_burnt_in_tag_is_passed_on(store, said, warned):
    tags = {"BurnedInAnnotation": said} if said else {}
    _, _, outcome = store(film(picture(1), bits=12, **tags))
    assert any("burnt" in warning for warning in outcome.image["warnings"]) is warned


# -- the key ------------------------------------------------------------------------------


def test_the_key_is_made_once_and_readable_by_its_owner_only(tmp_path):
    cohort = tmp_path / "trial.duckdb"
    first = open_key(cohort, may_create=True)
    assert open_key(cohort, may_create=True) == first
    assert key_file(cohort).stat().st_mode & 0o077 == 0
    assert "secret" not in repr(first)


def test_a_lost_key_of_a_cohort_with_films_is_not_replaced(tmp_path):
    with pytest.raises(StoreError, match=r"put trial\.duckdb\.key back from a backup"):
        open_key(tmp_path / "trial.duckdb", may_create=False)


def test_identity_is_read_before_it_goes():
    dataset = film(picture(1), bits=12)
    identity = identity_of(dataset)
    assert identity.patient == "HOSP-4711"
    assert {"miller", "hans", "hosp-4711"} <= identity.words
    deidentify(dataset, KEY, identity)
    assert identity_of(dataset).words <= {KEY.pseudonym("HOSP-4711").casefold()}


def test_a_film_without_patient_number_is_known_by_name_and_birth_date():
    dataset = film(picture(1), bits=12, PatientID="", PatientBirthDate="19611213")
    assert identity_of(dataset).patient == "Miller^Hans|19611213"


def test_saving_for_the_test_is_complete(tmp_path):
    assert pydicom.dcmread(save(film(**WORDS), tmp_path / "a.dcm")).StationName == "ROENTGEN7"
