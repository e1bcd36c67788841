"""The card of spinal MRI says what each network learned from, and calls MRI no films."""

from core.learned_from import KEY, in_words, notices, only_phantoms
from models import cards
from models.scoring import run as scoring
from models.sparcc.learned import BODIES, OEDEMA, before, learned_steps, part_of, with_part
from models.training.sources import learned_from


def test_the_shipped_card_tells_real_and_phantom_patients_of_each_network():
    card = cards.read_card("sparcc", "demo")
    steps = learned_from(card)
    of_bodies, of_oedema = (part_of(card, part) for part in (BODIES, OEDEMA))
    assert [*of_bodies, *of_oedema] == steps and not only_phantoms(steps)
    assert of_bodies[0]["patients"] == len(card["training"]["patients"])
    assert of_bodies[0]["volumes"] == card["training"]["films"]
    for step in (of_bodies[1], of_oedema[0]):
        assert step["patients"] == len(card["training"]["phantom_patients"])
    assert only_phantoms(of_oedema) and of_oedema[0]["begun_from"] == BODIES
    words = in_words(steps)
    assert words == (
        "bodies and discs from real MRI: 26 patients, JonathanRamos/fastcleverseg (GPL-3.0), together with "
        "phantoms (64 patients); marrow oedema from phantoms (64 patients), beginning with the weights for "
        "bodies and discs"
    )
    assert "film" not in words and "doi:10.1371/journal.pone.0143327" in notices(steps)[0]


def test_a_run_of_the_shipped_weights_keeps_what_they_learned():
    run = scoring.identify(scoring.model_of("sparcc"), "demo")
    assert KEY in run.settings and "fastcleverseg" in run.settings


def test_a_part_is_told_anew_and_the_other_kept():
    first = with_part({"seed": 0}, BODIES, learned_steps(BODIES, real=3, volumes=4, phantoms=2))
    both = with_part(first, OEDEMA, learned_steps(OEDEMA, phantoms=5))
    again = with_part(both, BODIES, learned_steps(BODIES, phantoms=7))
    assert [step["patients"] for step in again[KEY]] == [5, 7] and again["seed"] == 0


def test_weights_that_were_begun_from_are_told_before_and_the_same_patients_once(tmp_path):
    entry = {"networks": {"anatomy": {"sha256": "a", "file": "x"}}}
    known = learned_steps(BODIES, real=3, volumes=4)
    cards.write_card(entry | {"training": with_part({}, BODIES, known)}, "sparcc", "demo", tmp_path)
    both = before(BODIES, "demo", tmp_path, learned_steps(BODIES, real=3, volumes=4, phantoms=2))
    assert [(step["kind"], step["patients"]) for step in both] == [("real", 3), ("phantom", 2)]
    later = before(BODIES, "demo", tmp_path, learned_steps(BODIES, phantoms=2))
    assert in_words(later).startswith("bodies and discs from real MRI: 3 patients,")
    assert in_words(later).endswith(", then phantoms (2 patients)")


def test_weights_without_a_card_are_of_mri_that_is_not_stated(tmp_path):
    words = in_words(before(OEDEMA, "demo", tmp_path, learned_steps(OEDEMA, phantoms=2)))
    assert words == (
        "marrow oedema from labelled MRI of a source that is not stated (number unknown), then phantoms "
        "(2 patients)"
    )
