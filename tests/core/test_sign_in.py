"""The sign-in file: what it must hold, and whom claims stand for."""

import os

import pytest

from core.domain import Role, Viewer
from core.errors import InputError
from core.sign_in import SignIn, parse_viewer, read_sign_in, reader

GOOD = """
[auth]
redirect_uri = "https://sharpline.example.org/oauth2callback"
cookie_secret = "0123456789abcdef0123456789abcdef"
client_id = "sharpline"
client_secret = "secret"
server_metadata_url = "https://login.example.org/.well-known/openid-configuration"
[people]
"Ann@example.org" = "data manager"
"ben@example.org" = "reader R 1"
"""


def written(tmp_path, text, mode=0o600):
    path = tmp_path / "sign_in.toml"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_people_and_origin_are_read(tmp_path):
    found = read_sign_in(written(tmp_path, GOOD))
    assert (found.origin, found.host) == ("https://sharpline.example.org", "sharpline.example.org")
    assert found.people == {
        "ann@example.org": Viewer(Role.MANAGER),
        "ben@example.org": Viewer(Role.READER, "R 1"),
    }


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("https://sharpline", "http://sharpline", "https address"),
        ("https://login", "http://login", "https address"),
        ("/oauth2callback", "/callback", "must end with /oauth2callback"),
        ('client_secret = "secret"', "", "lacks client_secret"),
        ("0123456789abcdef0123456789abcdef", "short", "at least 32 letters"),
        ('"data manager"', '"boss"', "the role 'boss'"),
        ('"reader R 1"', '"reader  "', "a reader without a name"),
        ("[people]", "[persons]", "without people"),
        ("[auth]", "[auth", "TOML file"),
    ],
)
def test_what_does_not_fit_is_told(tmp_path, old, new, said):
    with pytest.raises(InputError, match=said.replace("[", r"\[")):
        read_sign_in(written(tmp_path, GOOD.replace(old, new)))


def test_a_change_within_one_tick_of_the_clock_is_seen(tmp_path):
    path = written(tmp_path, GOOD)
    when = path.stat().st_mtime_ns
    for text, people in ((GOOD.replace("ben@", "eva@"), {"ann", "eva"}), (GOOD, {"ann", "ben"})):
        path.write_text(text)
        os.utime(path, ns=(when, when))
        assert {name.split("@")[0] for name in read_sign_in(path).people} == people
        path.write_text("")
        os.utime(path, ns=(when, when))
        with pytest.raises(InputError, match="lacks"):
            read_sign_in(path)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_file_that_others_can_read_is_refused(tmp_path, mode):
    with pytest.raises(InputError, match="chmod 600"):
        read_sign_in(written(tmp_path, GOOD, mode))


@pytest.mark.parametrize("text", ["", " ", "\t", "\u00a0"])
def test_a_reader_has_a_name(text):
    for act in (lambda: reader(text), lambda: parse_viewer(f"reader:{text}"), lambda: parse_viewer(text)):
        with pytest.raises(InputError):
            act()


LIST = SignIn("https://x", {"ann@example.org": Viewer()}, hours=1)
ANN = {"email": "Ann@Example.org", "email_verified": True, "iat": 1000, "name": "Ann"}


@pytest.mark.parametrize(
    ("claims", "gets_in"),
    [
        ({}, True),
        ({"email_verified": False}, False),
        ({"email_verified": None}, False),
        ({"email_verified": "true"}, False),
        ({"email": "eve@example.org"}, False),
        ({"email": ""}, False),
        ({"iat": None}, False),
        ({"iat": -10_000}, False),
    ],
)
def test_claims_stand_for_a_person_only_where_the_provider_vouches(claims, gets_in):
    assert (LIST.person(ANN | claims, now=2000) is not None) is gets_in


def test_another_claim_needs_no_address():
    people = SignIn("https://x", {"u17": Viewer()}, claim="sub")
    assert people.person({"sub": "u17", "iat": 1}, now=2).name == "u17"
