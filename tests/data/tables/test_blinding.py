"""A blinded study: no table, preview or refusal tells an arm, under whatever name and by whatever trial."""

import json

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.domain import Viewer
from core.errors import InputError
from data.store.cohort import CohortStore
from data.store.treatment_names import is_known, looks_like_treatment
from data.study.settings import decide, held_back
from data.tables.import_subjects import SubjectsRequest, import_subjects, preview_subjects
from data.verify import verify

PATIENTS = [f"P{number:03d}" for number in range(1, 25)]
ARMS = {patient: ("Zylomab", "Nullopil")[place % 2] for place, patient in enumerate(PATIENTS)}


def listed(text):
    return text.replace("\n", "").split("|")


TREATMENT = listed(
    """Study arm|Group|Randomisation group|Medication|TRTGRP|kit|Kit number|cohort|sequence|dose|Gruppe|
Behandlung|bras|Bras de traitement|ACTARM|ARMCD|arm_label|TRT01A|TRTSEQP|treatmentGroup|Therapy|
Therapie|Terapia|Tratamiento|Grupo|gruppo|groupe|groep|Braccio|brazo|Studienarm|Medikation|Dosis|
batch|bottle|grp|placebo|verum|adalimumab|rand_no|RANDNO|allocated to|study drug|IP|IMP|Tx|Rx|
Zuteilung|EXTRT|EXDOSE|period|product|regimen|ramię|tedavi|kezelés|skupina|группа|лечение|治疗|分组|
ομάδα|Interventie|DoseLevel|TR01PG1"""
)
CLINICAL = listed(
    """sex|BMI|CRP|HLA-B27|hla_b27|disease duration|symptom_duration_years|smoking|smoker|ESR|RF|ACPA|
BASDAI|baseline BASDAI|AGEGR1|RACE|ETHNIC|TRTDURD|EOSSTT|age group|smoking status|weight|psoriasis|
uveitis"""
)


def table(**columns):
    frame = pd.DataFrame(columns)
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    return frame.astype("str")


@pytest.fixture
def blinded(tmp_path):
    store = CohortStore.open(tmp_path / "c.duckdb")
    import_subjects(store, table(subject=PATIENTS, arm=[ARMS[one] for one in PATIENTS]), actor="manager")
    return store


def told(store):
    """Everything that a blinded analyst can read of the cohort, and what is kept of refusals, as one text."""
    with store.look(Viewer()) as look:
        seen = [
            look.query(f"SELECT * FROM {name}").to_csv()
            for name in ("subject", "covariate", "refused", "event", "frozen", "visit", "meta")
        ]
    return "".join(seen) + store.query("SELECT * FROM main.refused").to_csv()


def assert_no_arm(*texts):
    for text in texts:
        assert not [arm for arm in set(ARMS.values()) if arm in str(text)]


def assert_all_held_back(result, columns):
    assert result.stored["covariate"] == 0
    assert set(columns) <= set(result.ignored)
    assert_no_arm(result)


def test_a_column_that_says_the_arm_is_held_back_and_named(blinded):
    said = {name: [ARMS[one] for one in PATIENTS] for name in TREATMENT}
    rows = table(subject=PATIENTS, arm="x", **said)
    confirmed = SubjectsRequest(mapping=dict.fromkeys(TREATMENT[1::2], "CRP"))
    for request in (SubjectsRequest(), confirmed):
        assert_all_held_back(preview_subjects(blinded, rows, request=request), TREATMENT)
        assert_all_held_back(import_subjects(blinded, rows, request=request), TREATMENT)
    assert_no_arm(told(blinded))


def test_stored_covariates_that_say_the_arm_are_hidden(tmp_path):
    store = CohortStore.open(tmp_path / "c.duckdb")
    arms = [ARMS[one] for one in PATIENTS]
    with store.write("x", "an earlier version") as transaction:
        transaction.insert("subject", pd.DataFrame({"subject": PATIENTS, "arm": arms}))
        for name in TREATMENT:
            rows = pd.DataFrame({"subject": PATIENTS, "name": name, "text": arms})
            transaction.insert("covariate", rows)
    assert_no_arm(told(store))
    assert set(held_back(store)) == set(TREATMENT)
    store.set_blinded(False, actor="x", reason="database locked")
    with store.look(Viewer()) as look:
        assert look.value("SELECT count(*) FROM covariate") == len(PATIENTS) * len(TREATMENT)


@pytest.mark.parametrize("name", TREATMENT)
def test_a_name_of_treatment_is_known_as_one(name):
    assert looks_like_treatment(name) and not is_known(name)


@pytest.mark.parametrize("name", CLINICAL)
def test_a_known_clinical_name_passes_by_itself(name):
    assert is_known(name) and not looks_like_treatment(name)


def test_any_other_name_waits_for_a_person(blinded):
    rows = table(subject=PATIENTS, hobby=["chess", "go", "bridge"] * 8)
    result = import_subjects(blinded, rows)
    assert result.stored["covariate"] == 0
    assert result.ignored["hobby"].endswith("confirm it with --confirm 'hobby'")
    confirmed = import_subjects(blinded, rows, request=SubjectsRequest(confirmed=("hobby",)))
    assert confirmed.stored["covariate"] == 24 and "hobby" not in confirmed.ignored
    with blinded.look(Viewer()) as look:
        assert look.value("SELECT count(*) FROM covariate") == 24
    assert verify(blinded).broken == []


def test_a_confirmed_column_that_is_none_is_an_error(blinded):
    with pytest.raises(InputError, match="--confirm colour"):
        import_subjects(blinded, table(subject=PATIENTS), request=SubjectsRequest(confirmed=("colour",)))


def values_that_go_with_the_arm(kind):
    first = [ARMS[one] == "Zylomab" for one in PATIENTS]
    return {
        "same": ["x" if yes else "y" for yes in first],
        "nearly": ["y" if place == 0 else "x" if yes else "y" for place, yes in enumerate(first)],
        "two_levels_each": [("a1" if yes else "b1") if place % 4 < 2 else ("a2" if yes else "b2")
                            for place, yes in enumerate(first)],
        "ranges": [str((1000 if yes else 2000) + place) for place, yes in enumerate(first)],
    }[kind]  # fmt: skip


@pytest.mark.parametrize("kind", ["same", "nearly", "two_levels_each", "ranges"])
@pytest.mark.parametrize("name", ["hobby", "CRP"])
def test_values_that_go_with_the_arm_are_hidden_whatever_the_name(blinded, kind, name):
    rows = table(**{"subject": PATIENTS, name: values_that_go_with_the_arm(kind)})
    confirmed = (name,)
    import_subjects(blinded, rows, request=SubjectsRequest(confirmed=confirmed))
    with blinded.look(Viewer()) as look:
        assert look.value("SELECT count(*) FROM covariate") == 0
    assert held_back(blinded) == {name: "its values go with the arms"}
    with pytest.raises(InputError, match="its values go with the arms"):
        decide(blinded, actor="x", confirmed=(name,))


def test_values_that_go_with_the_arm_of_their_own_table_are_not_stored(tmp_path):
    store = CohortStore.open(tmp_path / "c.duckdb")
    rows = table(
        subject=PATIENTS, arm=[ARMS[one] for one in PATIENTS], hobby=values_that_go_with_the_arm("same")
    )
    result = import_subjects(store, rows, request=SubjectsRequest(confirmed=("hobby",)))
    assert result.stored == {"subject": 24, "covariate": 0}
    assert result.ignored["hobby"] == "held back in a blinded study: its values go with the arms"


def test_arms_that_come_later_hide_what_goes_with_them(tmp_path):
    store = CohortStore.open(tmp_path / "c.duckdb")
    rows = table(subject=PATIENTS, hobby=values_that_go_with_the_arm("same"))
    import_subjects(store, rows, request=SubjectsRequest(confirmed=("hobby",)))
    with store.look(Viewer()) as look:
        assert look.value("SELECT count(*) FROM covariate") == 24
    import_subjects(store, table(subject=PATIENTS, arm=[ARMS[one] for one in PATIENTS]))
    with store.look(Viewer()) as look:
        assert look.value("SELECT count(*) FROM covariate") == 0


def test_a_stored_covariate_is_shown_once_it_is_confirmed(blinded):
    with blinded.write("x", "an earlier version") as transaction:
        rows = pd.DataFrame({"subject": PATIENTS, "name": "hobby", "text": ["chess", "go", "bridge"] * 8})
        transaction.insert("covariate", rows)
    assert list(held_back(blinded)) == ["hobby"]
    decide(blinded, actor="manager", confirmed=("hobby",))
    assert held_back(blinded) == {}
    with blinded.look(Viewer()) as look:
        assert look.value("SELECT count(*) FROM covariate") == 24
    with pytest.raises(InputError, match="no stored covariate of this name is held back"):
        decide(blinded, actor="manager", confirmed=("colour",))


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(guess=st.lists(st.sampled_from(["Zylomab", "Nullopil", "x"]), min_size=24, max_size=24))
def test_no_guess_is_answered(blinded, guess):
    """Whatever arms a preview or an import proposes, the answer is the same."""
    rows = table(subject=PATIENTS, arm=guess)
    for act in (preview_subjects, import_subjects):
        result = act(blinded, rows)
        assert (result.refused, result.unchanged) == ([], 24)
        assert result.stored == {"subject": 0, "covariate": 0}
        assert any("neither compared nor changed" in text for text in result.notes)
    kept = blinded.query("SELECT arm FROM subject WHERE superseded_by IS NULL ORDER BY subject")[
        "arm"
    ].tolist()
    assert kept == [ARMS[one] for one in PATIENTS]


def test_a_correction_is_answered_alike_for_right_and_wrong_guesses(blinded):
    request = SubjectsRequest(correct="new list")
    right = table(subject=["P001"], arm=[ARMS["P001"]])
    wrong = table(subject=["P001"], arm=["Nullopil"])
    answers = [preview_subjects(blinded, rows, request=request) for rows in (right, wrong)]
    assert answers[0] == answers[1]
    import_subjects(blinded, wrong, request=request)
    arm = "SELECT arm FROM subject WHERE subject = 'P001' AND superseded_by IS NULL"
    assert blinded.query(arm)["arm"][0] == "Nullopil"


def test_a_preview_leaves_one_event_for_one_look(blinded):
    rows = table(subject=PATIENTS, arm="x")
    version = blinded.version()
    for _ in range(3):
        preview_subjects(blinded, rows, actor="Ann")
    preview_subjects(blinded, rows, actor="Ben")
    preview_subjects(blinded, rows.assign(sex="M"), actor="Ann")
    events = blinded.query("SELECT actor, details FROM event WHERE action = 'preview' ORDER BY event")
    assert events["actor"].tolist() == ["Ann", "Ben", "Ann"]
    assert json.loads(events["details"][0])["rows"] == 24
    assert blinded.version() == version, "nothing that a number is made of has changed"
    assert verify(blinded).broken == []


def test_reasons_of_earlier_versions_are_shown_without_arms(blinded):
    reasons = [
        "P001: arm is Zylomab in the cohort, x here; needs --correct REASON",
        "P001: sex is M in the cohort, F here; arm is Zylomab in the cohort, x here; needs --correct REASON",
        "P001, Study arm: text is Zylomab in the cohort, x here; needs --correct REASON",
    ]
    with blinded.write("x", "an earlier version") as transaction:
        transaction.refuse("t.csv", [{"row": 1, "reason": reason, "content": None} for reason in reasons])
    with blinded.look(Viewer()) as look:
        shown = look.query("SELECT reason FROM refused ORDER BY reason")["reason"].tolist()
    assert_no_arm(shown)
    assert "P001: arm differs from the cohort; needs --correct REASON" in shown


def test_an_unblinded_conflict_of_arms_is_refused_without_the_arms(blinded):
    blinded.set_blinded(False, actor="x", reason="database locked")
    result = import_subjects(blinded, table(subject=PATIENTS, arm="x"))
    assert len(result.refused) == 24
    assert result.refused[0]["reason"] == "P001: arm differs from the cohort; needs --correct REASON"
    assert_no_arm(result.refused, blinded.query("SELECT reason, content FROM refused").to_csv())
