"""Column names under which a table may hold who a person is, in the languages of hospitals."""

from __future__ import annotations

import re

from data.store.treatment_names import folded, is_known, words

PARTS = re.compile(  # of a name without case, accents, blanks and signs
    r"name|naam|namn|navn|nombre|apellido|cognome|nomeproprio|prenom|nomde|patronym|nazwisk|imiona|jmeno|prijmen|"
    r"vezetek|kereszt|sukunimi|etunimi|soyad|isim|initial|kurzel|kuerzel|signatur|unterschrift|alias|"
    r"birth(?!year|weight)|geburt|geboren|gebdat|naiss|nacim|nascit|nascim|geboor|fodsel|fodel|urodz|naroz|szulet|"
    r"syntym|dogum|dateofdeath|"
    r"address|adress|anschrift|strasse|street|straat|ulica|direccion|indirizzo|endereco|adres|wohnort|residen|"
    r"domicil|postcode|postal|postleit|zipcode|postnum|quartier|district|county|municip|gemeinde|latitude|"
    r"longitude|"
    r"phone|telefo|mobile$|mobilnum|^mobil$|handynum|cellnum|faxn|e?mail|correo|courriel|"
    r"medicalrecord|hospital(no|nr|num|id|code)|krankenhaus|patientenn|patientn|patnr|patno|fallnum|fallnr|caseno|"
    r"casenum|aktenz|chartn|dossier|expediente|cartella|historiaclinica|prontuario|accession|nhs|socialsec|"
    r"sozialvers|securitesociale|seguridadsocial|versicher|insur|assurance|krankenkasse|personnum|personnr|"
    r"personalnum|fodselsn|fodelsen|codicefiscale|pesel|rodnecis|burgerservice|nationalid|identit|identific|"
    r"passpor|ausweis|idcard|licen[cs]e|account|iban|cardnum|healthcard|medicare|"
    r"doctor|(?<!ian)physician(?!global)|hausarzt|behandelnderarzt|arztin|medecin|investigator|consultant|"
    r"operator|nurse|referr|mother|father|mutter|vater|spouse|guardian|contact|kinder|nextofkin|emergency|"
    r"employer|arbeitgeber|occupation|beruf|profession|religion|"
    r"comment|kommentar|coment|remark|bemerk|anmerk|opmerk|observacion|osservaz|freetext|freitext|freitekst|"
    r"description|beschreib|narrativ|verbatim|notiz|photo|foto|url|website|ipaddr|serial|login|username|"
    r"имя|фамил|отчеств|рожд|адрес|телефон|почт|паспорт|снилс|姓|名前|名字|氏名|生年月日|出生|住所|地址|电话|電話|"
    r"手机|身份|病历|カルテ|ονομα|επωνυμ|διευθυν|τηλεφων|γεννησ|اسم|이름|생년|주소|전화"
)
WORDS = (
    "nom nome imie nev ad tel fax cell handy mob mail mrn ssn nhs nir bsn cpr dni nie nif nss curp cpf hetu "
    "rut cap plz zip ort stadt ville ciudad citta cidade plaats miasto mesto town city village rue calle via "
    "pass dob geb ddn fdn note notes text memo arzt medico web user pid upn urn chi hkid amka egn jmbg oib"
)


def names_a_person(name: str) -> bool:
    """Whether a column of this name may hold a name, an address, a number of a person or free text."""
    if is_known(name):
        return False
    return bool(PARTS.search(folded(name))) or not set(WORDS.split()).isdisjoint(words(name))
