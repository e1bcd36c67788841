"""Which covariates may be seen in a blinded study: known clinical names, and names that a person confirmed.

A table's column can say the arm under any name ("Group", "kit", "Behandlung"). So a name must be known to say
something else, or a person must confirm that it does. What looks like treatment by its name, and what goes
with the arm by its values, stays hidden whatever was confirmed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

from core import scores

MIN_PATIENTS = 6  # with a value and an arm: below this, any two-valued covariate goes with the arm by chance
MIN_SHARE = 0.9  # of the patients whose value goes with their arm
LOOKS_LIKE_TREATMENT = "it may show the treatment"
GOES_WITH_ARM = "its values go with the arms"
NOT_CONFIRMED = "nobody has confirmed that it does not show the treatment"

KNOWN = re.compile(
    "|".join(
        (
            # who: age, sex, origin, size, habits
            r"age(group|class|category|gr\d?n?)?", r"(alter|edad|eta|idade|leeftijd|alder|wiek|vek|ika)",
            r"sex|gender|geschlecht|sexo|sexe|sesso|geslacht|kon|plec", r"race(gr\d?n?)?|ethnic(ity|group)?",
            r"country|region\d?|(body)?(weight|height|massindex)|bmi(group|class)?|bsa|waist(circumference)?",
            r"gewicht|grosse|groesse|peso|talla|altezza|poids|taille|lengte|vikt|langd",
            r"(current|ever|former|past)?smok(er|ers|ing)(status|ever|history|packyears)?|packyears?|tobacco",
            r"raucher|rauchen|fum(ador|eur|atore)|tabac|tabaquismo|roker|alcohol(use)?|alkohol",
            r"education(level|years)?|educlvl|educ|employment|handed(ness)?|menopausal?(status)?|bloodgroup",
            # the disease: since when, which, what it shows
            r"(symptoms?|disease|ra|as|axspa|psa|illness)?dur(ation|dis|n)?(months|years)?|durdis",
            r"(symptom|krankheits|erkrankungs)dauer|duracion(delaenfermedad)?|dureedelamaladie",
            r"(ageat)?(onset|diagnosis)(age)?|ageonset|onset|diagnosis(group)?|dx|radiographic|nraxspa|axspa|psa",
            r"uveitis|psoriasis|ibd|crohns?|colitis|dactylitis|enthesitis|peripheral(arthritis|disease)?",
            r"(family)?history(of)?(spa|ra|psoriasis|uveitis)?|familyhistory|extraarticular|erosive|erosions?",
            r"comorbidit(y|ies)|diabetes|hypertension|osteoporosis|charlson|fibromyalgia|depression",
            # laboratory and genes
            r"hla\w*b27|hlab27(status|positive)?|(hs)?crp|esr|bsg|vsg|ves|creactiveprotein|sedimentationrate",
            r"rf|rheumatoidfactor|rfstatus|acpa|(anti)?ccp\d?|acpastatus|serostatus|seropositiv(e|ity)|ana",
            r"h(a)?emoglobin|hb|platelets?|leu[ck]ocytes|wbc|creatinine|alt|ast|ferritin|vitamind|il6|mmp3|mthfr",
            # scores
            r"basdai|basfi|basmi|asdas(crp|esr)?|bas?g|masses|mases|das(28)?(crp|esr|p)?|sdai|cdai|haq(di|s)?",
            r"asashi|asqol|sf36\w*|eq5d\w*|facit\w*|dapsa|pasi|dlqi|sharp(score)?|vdh",
            r"(patient|physician)?global(assessment|health)?|ptga|phga|pga|vas(pain|global)?|(night|back)?pain",
            r"(tender|swollen)joints?(count)?(28|44|66|68)?|[ts]jc(28|44|66|68)?|morningstiffness|fatigue",
            # CDISC: populations, ends, study days
            r"(saf|itt|fas|pps?|pprot|eff?|comp(l)?|enrl|scrn|eos|rand|dth|disc)\w?fl", r"saffl|ittfl|efffl",
            r"eosstt|dcsreas(cd)?|dcreascd|dmdy|trtdurd|trtdurn|dth\w*",
        )
    )
)  # fmt: skip
AROUND_KNOWN = re.compile(
    r"^(baseline|screening|base|bl|at|initial)?(.+?)(atbaseline|baseline|bl|base|screening|yn)?$"
)
# Parts of a name without signs, and whole words of it, in the languages that trials are run in.
TREATMENT_PARTS = re.compile(
    r"tr(ea)?t(ment|ed|grp|arm|seq|cd|p\b|a\b|\d)|treat|trtp|trta|^trt|trt$|^tr\d+[ap]g|therap|terap|random|"
    r"^rand(n|c|g|_)|alloc|assign(ed|ment)|zuteilung|zuordnung|zuweisung|asignacion|assegna|atribuic|attribut|"
    r"behand|tratam|trattam|traitem|medicat|medicam|medika|medicij|farmac|farmak|lakemedel|placebo|plazebo|verum|"
    r"blind|verblind|kitn|^kit|kit$|dose|dosis|dosier|dosag|dosing|dosering|dosaggio|posolog|dawka|exdos|extrt|"
    r"regimen|grp|group|grup|groep|groupe|gruppe|gruppo|sequen|secuen|sekven|cohort|kohort|coort|drug|"
    r"^(act|actual|planned|study|trial|studien|pruef|therapie)?arm(cd|code|no|nr|nrs|ud|name|label|n)?\d*$|"
    r"(study|trial|treatment|studien)arm|bras\b|brazo|braccio|braco|ramie|intervent|comparator|komparator|"
    r"verumarm|batch|vial|bottle|blister|ampoule|lotn|leczeni|leceni|lecba|tedavi|kezeles|skupina|csoport|ryhma|"
    r"hoito|crossover|switch|rescue|escape|stratum|allocat|investigational|studyprod|"
    r"групп|лечен|терап|препарат|доза|рандом|плацебо|ομαδα|θεραπ|φαρμακ|σκελο|组|組|治疗|治療|药|薬|群|投与|剂量|"
    r"(mab|tinib|citinib|cept|kinra)$"
)
TREATMENT_WORDS = (
    "arm arme arms armcd tx rx trt ip imp med meds gp gr grp group tr bras brazo braccio braco ramo "
    "ramie kar kol kit kits lot pack seq sequence dose dosis cohort drug product produkt produit active "
    "control controls kontrolle verum placebo assigned assignment allocated rand rando randno period "
    "blinded treated exposure branch therapy strata"
)


def folded(name: str) -> str:
    """A name without case, accents and signs, in any script: how names are compared."""
    plain = unicodedata.normalize("NFKD", str(name).casefold())
    return unicodedata.normalize("NFC", "".join(letter for letter in plain if letter.isalnum()))


def words(name: str) -> list[str]:
    """The words of a name: split at signs, at digits and where ``camelCase`` begins a new one."""
    spaced = re.sub(r"(?<=[a-zà-ÿ])(?=[A-Z])", " ", str(name))
    plain = unicodedata.normalize("NFKD", spaced.casefold())
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return re.findall(r"[^\W\d_]+", letters)


def is_known(name: str) -> bool:
    """Whether a covariate of this name is known to say something clinical and not the treatment."""
    plain = folded(name)
    around = AROUND_KNOWN.match(plain)
    return any(KNOWN.fullmatch(one) or one in _systems() for one in (plain, around[2] if around else plain))


@cache
def _systems() -> frozenset[str]:
    """The scoring systems by name, and without the first letter of a modified one."""
    known = scores.systems().values()
    names = {folded(name) for system in known for name in (system.name, *system.aliases)}
    return frozenset(names | {name.removeprefix("m") for name in names})


def looks_like_treatment(name: str) -> bool:
    """Whether a name may stand for the arm, the drug, its dose or package, or who was allocated to what."""
    if is_known(name):
        return False
    return bool(TREATMENT_PARTS.search(folded(name))) or not set(TREATMENT_WORDS.split()).isdisjoint(
        words(name)
    )


def why_held(name: str, confirmed: Iterable[str], column: str = "") -> str:
    """Why a covariate is not shown in a blinded study; empty where it may be.

    confirmed: names of covariates that a person confirmed. column: the name in the table, where it differs.
    """
    names = [name, column] if column else [name]
    if any(looks_like_treatment(one) for one in names):
        return LOOKS_LIKE_TREATMENT
    if is_known(name) or name in set(confirmed):
        return ""
    return NOT_CONFIRMED
