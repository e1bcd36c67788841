"""The four systems as data: counts, ranges and names of domain.md A."""

import pytest

from core import scores
from core.errors import InputError
from core.scores.system import squeeze

CERVICAL = ["C2I", "C3S", "C3I", "C4S", "C4I", "C5S", "C5I", "C6S", "C6I", "C7S", "C7I", "T1S"]
LUMBAR = ["T12I", "L1S", "L1I", "L2S", "L2I", "L3S", "L3I", "L4S", "L4I", "L5S", "L5I", "S1S"]


def test_msasss_corners_stand_from_head_to_foot():
    system = scores.get("msasss")
    assert list(system.codes) == CERVICAL + LUMBAR
    assert {site.block for site in system.sites[:12]} == {"cervical"}
    assert system.maximum == 72
    assert len(system.units) == 12


def test_svdh_has_86_sites_in_four_blocks():
    system = scores.get("mtss")
    blocks = {name: [site for site in system.sites if site.block == name] for name in system.blocks}
    assert {name: len(sites) for name, sites in blocks.items()} == {
        "hand erosion": 32,
        "hand jsn": 30,
        "foot erosion": 12,
        "foot jsn": 12,
    }
    maxima = {name: sum(site.maximum for site in sites) for name, sites in blocks.items()}
    assert maxima == {"hand erosion": 160, "hand jsn": 120, "foot erosion": 120, "foot jsn": 48}
    assert system.maximum == 448
    assert "LH.J.CNL" in system.codes
    assert "LH.J.IP1" not in system.codes


def test_svdh_is_mtss():
    assert scores.get("SvdH") is scores.get("mtss")


def test_sparcc_has_23_units_of_18_items():
    system = scores.get("sparcc")
    assert len(system.blocks) == 23
    assert len(system.sites) == system.maximum == 414
    assert [len(component.blocks) for component in system.components] == [6, 11, 6]


def test_synovitis_has_26_joints_a_side_with_three_modes():
    system = scores.get("synovitis")
    assert len(system.sites) == 26 * 2 * 3
    assert "R.MCP2.GS" in system.codes


@pytest.mark.parametrize("name", scores.names())
def test_a_system_is_consistent(name):
    system = scores.get(name)
    assert len(set(system.codes)) == len(system.codes)
    spellings = [squeeze(text) for site in system.sites for text in {site.code, *site.aliases}]
    assert len(spellings) == len(set(spellings)), "a spelling names one site"
    assert {site.feature for site in system.sites} <= set(system.by_feature)
    assert {block for component in system.components for block in component.blocks} <= set(system.blocks)
    assert {rule.name.split(".")[0] for rule in system.rules} == {name}
    assert {setting.name.split(".")[0] for setting in system.settings} <= {name}


@pytest.mark.parametrize(
    ("system", "text", "code"),
    [
        ("msasss", "c2i", "C2I"),
        ("msasss", " T12_I ", "T12I"),
        ("msasss", "L5 inferior", "L5I"),
        ("msasss", "C9I", None),
        ("mtss", "LH_wrist_E__mc1", "LH.E.MC1"),
        ("mtss", "LH_wrist_E__lunate", "LH.E.LUN"),
        ("mtss", "RH_wrist_J__capnlun", "RH.J.CNL"),
        ("mtss", "RH_wrist_J__radcar", "RH.J.RC"),
        ("mtss", "LH_pip_J__5", "LH.J.PIP5"),
        ("mtss", "LH_mcp_E__ip", "LH.E.IP1"),
        ("mtss", "LF_mtp_J__ip", "LF.J.IP1"),
        ("mtss", "LF_mtp_E__4", "LF.E.MTP4"),
        ("mtss", "lh.j.cnl", "LH.J.CNL"),
        ("mtss", "LH_mcp_J__ip", None),
        ("sparcc", "T7/T8.S2.ua", "T7T8.s2.UA"),
        ("synovitis", "r-mcp2-gs", "R.MCP2.GS"),
        ("synovitis", "L.WR(RC).PD", "L.RC.PD"),
    ],
)
def test_sites_are_recognised(system, text, code):
    assert scores.recognise_site(system, text) == code


def test_rules_are_found_by_short_and_full_name():
    system = scores.get("msasss")
    assert system.rule().name == "msasss.seg_mean"
    assert system.rule("complete_only") is system.rule("msasss.complete_only")
    assert scores.get("svdh").rule("svdh.carry").name == "mtss.carry"


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: scores.get("bsas"), r"system bsas; one of msasss, mtss, sparcc, synovitis is needed"),
        (lambda: scores.get("msasss").rule("mean"), "rule mean; mSASSS has seg_mean, paired_nochange"),
        (lambda: scores.get("mtss").choices({"x": "1"}), "setting x; SvdH has ankylosis_erosion"),
        (lambda: scores.get("mtss").choices({"ankylosis_erosion": "5"}), "it can be max, as_seen"),
    ],
)
def test_unknown_names_are_said(ask, message):
    with pytest.raises(InputError, match=message):
        ask()


def test_settings_are_defaults_unless_given():
    system = scores.get("mtss")
    assert system.choices() == {"mtss.ankylosis_erosion": "max", "mtss.after_surgery": "last_before"}
    assert system.choices({"ankylosis_erosion": "as_seen"})["mtss.ankylosis_erosion"] == "as_seen"


def test_what_is_not_verified_has_a_name():
    unverified = [
        rule.name for name in scores.names() for rule in scores.get(name).rules if not rule.is_verified
    ]
    assert "msasss.seg_mean" in unverified
    assert "synovitis.pro_rate" in unverified
    assert all(item.text for name in scores.names() for item in scores.get(name).assumptions)
