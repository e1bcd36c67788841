"""Terms of models in words."""

import pytest

from core.progression.regression.term_words import term_words


@pytest.mark.parametrize(
    ("term", "words"),
    [
        ("Intercept", "intercept"),
        ("arm[T.Active 40 mg]", "arm Active 40 mg"),
        ("years:arm[T.B]", "years × arm B"),
        ("arm[T.dose: high]:visit[T.W52]", "arm dose: high × visit W52"),
        ("C(sex)[T.M]", "sex M"),
        ("any: arm[T.B]", "any: arm B"),
        ("log sigma", "log sigma"),
        ("arm:visit", "arm × visit"),
    ],
)
def test_terms_are_said_in_words(term, words):
    assert term_words(term) == words
