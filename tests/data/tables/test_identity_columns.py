"""Who a person is stays out: columns in many languages, cells of refused rows, names of files."""

import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.dicom.pseudonyms import CohortKey
from data.store.cohort import CohortStore
from data.tables.import_reads import ReadsRequest, import_reads
from data.tables.import_subjects import import_subjects
from data.tables.person_names import names_a_person
from data.tables.plan import PLAIN_WORDS, kept_name


def listed(text):
    return text.replace("\n", "").split("|")


IDENTITY = listed(
    """Nachname|Vorname|Geburtsdatum|Adresse|hospital number|e-mail address|social security|Name|
First name|Last_name|surname|forename|PatientName|Initials|Initialen|DOB|Date of birth|Birth place|
Geburtsort|Straße|Strasse|PLZ|Ort|Wohnort|Telefon|Telefonnummer|Handy|Mobile|Phone no|E-Mail|MRN|
NHS number|SSN|Sozialversicherungsnummer|Versichertennummer|Krankenkasse|insurance no|passport|
Postcode|ZIP code|City|Nom|Prénom|Date de naissance|Adresse postale|Téléphone|Courriel|
Numéro de sécurité sociale|Nombre|Apellidos|Fecha de nacimiento|Dirección|Teléfono|
Correo electrónico|DNI|Cognome|Nome|Data di nascita|Indirizzo|Codice fiscale|Achternaam|Voornaam|
Geboortedatum|BSN|Adres|Fornavn|Efternavn|Personnummer|CPR-nummer|Nazwisko|Imię|PESEL|Jméno|
Příjmení|Rodné číslo|Фамилия|Имя|Дата рождения|Адрес|姓名|生年月日|住所|이름|Comments|Bemerkung|notes|
Hausarzt|GP name|referring physician|Mother's name|Employer|Beruf|Emergency contact|case number|
Fallnummer|accession number"""
)
CLINICAL = listed(
    """age|CRP|HLA-B27|smoker|rheumatoid|region code|disease duration|BMI|SYMPTDUR|prior biologic|erosive|
mobility|hospitalised|stage|stadium|marital|physician global|patient global|AGEGR1|DMDY|EOSSTT|
TRTDURD|birth weight|income"""
)


@pytest.fixture
def store(tmp_path):
    cohort = CohortStore.open(tmp_path / "c.duckdb")
    cohort.set_blinded(False, actor="x", reason="no arms")
    return cohort


def everything(store):
    tables = ("covariate", "refused", "event")
    return "".join(store.query(f"SELECT * FROM main.{name}").to_csv() for name in tables)


@pytest.mark.parametrize("first", range(4))
def test_no_cell_of_a_column_about_a_person_is_kept(store, first):
    """In a small study, where four people share four names, and rows are refused."""
    columns = IDENTITY[first::4]
    frame = pd.DataFrame({"subject": [f"P{i}" for i in range(8)], "sex": ["M", "X"] * 4})
    frame = frame.assign(**{column: [f"Müller-{i % 4}" for i in range(8)] for column in columns})
    frame.index = pd.RangeIndex(1, 9)
    result = import_subjects(store, frame.astype("str"), source="Anna_Müller.csv")
    assert {item["row"] for item in result.refused} >= {2, 4, 6, 8}, "a sex that is none"
    assert result.stored["covariate"] == 0
    assert "Müller" not in everything(store)


@pytest.mark.parametrize("column", IDENTITY)
def test_a_name_of_a_column_about_a_person_is_known_as_one(column):
    assert names_a_person(column)


@pytest.mark.parametrize("column", CLINICAL)
def test_clinical_columns_are_not_taken_for_people(column):
    assert not names_a_person(column)


def test_text_that_differs_from_row_to_row_and_long_numbers_are_left_out(store):
    rows = [f"P{i}" for i in range(8)]
    frame = pd.DataFrame(
        {"subject": rows, "xyz": [f"Müller {i}" for i in range(8)], "nr": range(4711000, 4711008)}
    )
    frame.index = pd.RangeIndex(1, 9)
    result = import_subjects(store, frame.astype("str"))
    assert result.stored["covariate"] == 0
    assert result.ignored == {
        "xyz": "its text differs from row to row, so it may name a person",
        "nr": "its long numbers may be those of people",
    }


def test_of_refused_rows_only_used_columns_are_kept(store):
    frame = pd.DataFrame(
        {
            "subject": ["P1", "P2"], "visit": ["BL", None], "site": "C2I", "grade": ["9", "0"],
            "comment": "spoke to Mrs Müller", "seen by": "Dr Müller", "colour": "Müller",
        }
    )  # fmt: skip
    frame.index = pd.RangeIndex(1, 3)
    result = import_reads(store, frame, ReadsRequest("msasss", reader="R1"))
    assert len(result.refused) == 2
    kept = [
        json.loads(text)
        for text in store.query("SELECT content FROM main.refused ORDER BY row_number")["content"]
    ]
    assert kept == [
        {"subject": "P1", "visit": "BL", "site": "C2I", "grade": "9"},
        {"subject": "P2", "site": "C2I", "grade": "0"},
    ]


def test_a_reason_keeps_no_cell_that_the_row_does_not_keep(store):
    frame = pd.DataFrame({"subject": ["P1"], "dob": ["Anna Müller"]}, index=pd.RangeIndex(1, 2)).astype("str")
    result = import_subjects(store, frame)
    assert "Anna Müller" in result.refused[0]["reason"], "whoever has the file is told the cell"
    assert "Anna Müller" not in everything(store)


KEY = CohortKey(b"k" * 32)


@pytest.mark.parametrize(
    "name", ["reads_R1.csv", "subjects.xlsx", "visits 2.csv", "admiral_adsl.csv", "r.csv", "dm.csv"]
)
def test_plain_names_of_files_are_kept(name):
    assert kept_name(KEY, name) == name


@pytest.mark.parametrize(
    "name", ["Anna_Müller.csv", "reads_Wu.csv", "1234567.csv", "Li.xlsx", "Müller.parquet", "读.csv"]
)
def test_a_file_name_that_may_be_a_persons_is_kept_as_a_keyed_hash(name):
    kept = kept_name(KEY, f"/data/{name}")
    assert kept == kept_name(KEY, name) and kept.startswith("table ")
    assert kept != kept_name(CohortKey(b"l" * 32), name)
    assert not any(part in kept for part in ("Anna", "Wu", "1234567", "Li", "ller"))
    assert kept_name(None, name) == f"table {name[name.rindex('.') :]}"


@given(name=st.text(alphabet=st.characters(categories=["L"]), min_size=2, max_size=12))
def test_no_word_outside_the_list_is_kept(name):
    if name.casefold() not in PLAIN_WORDS:
        assert kept_name(KEY, f"{name}.csv").startswith("table ")
