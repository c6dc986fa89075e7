"""Words and patterns that tell of people: the material of `detectors`.

Belongs here: lists. Not here: how they are applied.

Alternatives of a regular expression are written one after another; `_` stands for a space that may be missing
and `~` for one that must be there. A column name comes as lower-case words with single spaces, and an
alternative must cover whole words of it.
"""

from __future__ import annotations

from dataclasses import dataclass

PARTS = {
    "<no>": r"(?:n[or]|num|number|id|ids|ref|refs|reference|code|key|urn)s?",
    "<said>": r"(?:text|remarks?|narr\w*|notes?|comments?|logs?|details?|desc\w*|address|street|entry|free)",
    "<counted>": r"(?:counts?|total|density|precision|accuracy|quality|match|matched|score|rate|level|share)",
}
"""Parts that several alternatives share."""

HARMLESS_PHRASES = r"""
    sex~(?:offen\w*|crimes?|assaults?|abuse)
    (?:data|record|file|model|forecast|cache|building|cell)~age
    age~(?:of~)?(?:days?|hours?|minutes?|h|d|data|record|file) (?:from|against)~(?:the~)?persons?
    people~(?:counts?|density|per)
    subjects?~(?:area|matter|code|type) parent~(?:group|id|ref|key|record|category|code) message~id
    supervisors?~districts?
    postal~areas? (?:census|city)~blocks? address\w*~<counted> (?:n|count|number~of)~address\w*
    addresses~per post_codes?~(?:area|district|sector)
    officers?~(?:initiated|generated|hours?|minutes?|count|deployed|time|visits?|led) n~officers
    summary~(?:code|type|level) mo~(?:day|yr|year) (?:yr|year|fiscal)~mo suspicious~circumstances
    (?:offen[cs]e|crime|category)~text text~general initials?~(?:type|code|call|status|value)
"""
"""What would be taken for a telltale, but speaks of no one; left out before looking for those."""

HEADER_TELLTALES = {
    "data about a victim, suspect, witness or other person": r"""
        vict\w* vics? susp susps suspect\w* sospech\w* sospett\w* witness\w* wit wits wtns\w*
        offenders?\w* offndr\w* ofndr\w* perps? perpetrat\w* accused defendants?\w* complainants?\w*
        complnt informants? callers? aggrieved injured_part\w* decedents? deceased arrestees?\w*
        juveniles? relationship\w* reporting~(?:person|party|parties) reportee
        (?:vehicle|property|home|house|shop|store|business|registered|car)_(?:owners?|keepers?)
        keepers? tenants? householders? occupiers? occupants? next_of_kin kin spouses? parents?
        guardians? patients? missing_persons? opfer\w* taeter\w* tater\w* zeuge\w* geschadigt\w*
        slachtoffer\w* verdacht\w* getuige\w* testigos? vittim\w* testimon[ei]\w* temoins? auteurs?
        ofiara podejrzan\w* vitima\w* suspeit\w* brottsoffer misstankt\w* tatverdacht\w* dfndnts?
        dfdts? witn customers? clients? employers? occupations? professions? marital\w* malsagande
        associates? acquaintances? relatives? siblings? (?:family|household|gang|crew)_members?
        members?_<no> (?:drug|substance|alcohol)_(?:users?|abusers?|misusers?)
    """,
    "data about a person": r"""
        persons?\w* people individuals? subjects? known_as blood_(?:group|type)
        (?:students?|pupils?|drivers?|passengers?|riders?|users?|citizens?|residents?)_<no>
    """,
    "a date of birth or an age": r"""
        \w*dob dob\w* d~o~b births?\w* born yob birthday geburt\w* geboren geboort\w* naissance
        nacimiento nascita nascimento fod(?:els|sels)\w* urodz\w* ages? alter leeftijd edad eta
        ages?(?=(?:group|range|band))\w*
    """,
    "sex or gender": r"""
        sex sexe sexo sesso gender\w* gndr\w* genders? geschlecht\w* geslacht kon plec genero male
        female trans(?:gender)? sexualit\w* sexual~(?:orientation|identity|preference) pronouns? salutation honorific
    """,
    "ethnicity or race": r"""
        descent\w* ethn\w* etnia etnic\w* race races racial\w* raza raca ras ic_[1-9]?(?:~codes?)?
        iccode sde self_defined\w* skin\w* complexion hair\w* eye_colou?rs? tattoos?
        physical_(?:desc\w*|features?) appearance indigenous\w* aborigin\w* hispanic\w* ethnie
        religio\w* faith disab\w*
    """,
    "nationality or immigration status": r"""
        nationalit\w* nationalid\w* nazionalit\w* staats(?:angehorigkeit|burger\w*) citizen\w*
        country_of_(?:birth|origin) immigra\w* visas? asylum\w* herkunft\w* obywatel\w* nacional\w*
    """,
    "an identity number": r"""
        passport\w* nat_ins\w* credit_cards?\w* bank_acc\w* ibans? card_<no> nino
        ni_(?:no|num|number) national_ins\w* national_id\w* ssns? social_sec\w* nhs\w*
        driv(?:er|ers|ing|r)_s?_lic\w* dl_(?:no|num|number) id_card\w*
        identity_(?:card|no|number|doc\w*) bsn dni nif personnummer cpf pesel codice_fiscale
        ^(?:id|identity)_(?:no|num|number)$ tax_(?:id|no|number) finger_prints?\w* dna biometr\w* photos?\w*
        mug_shots? facial\w* portraits?
    """,
    "a police record of a person (PNC, CRO, nominal)": r"""
        pnc\w* pncid cro cros cro_<no> nominals?\w* nomid criminal_(?:record|history)\w* convict\w*
        previous_(?:con\w*|offen\w*) antecedent\w* priors? bails? probation\w* parole\w*
        warrants?_<no> wanted arrest_<no> charged_persons? prisoner\w* inmate\w* booking\w*
    """,
    "an e-mail address or online account": r"""
        e_mails?\w* mail mails correo\w* courriel epost user_names? user_ids? logins? twitter\w*
        facebook\w* instagram\w* social_media\w* ip(?:v[46])? ip_addr\w*
    """,
    "a phone number": r"""
        \w*phones?\w* ph_<no> tel tels tele telno telnum\w* telef\w* teln\w* mobiles?(?:~<no>)?$
        mobile(?:no|num\w*) mob_<no> cell_phone\w* handy(?:nummer)? movil cellulare landline\w*
        (?:sim|cli)_(?:no|num|number) fax\w* imei\w* imsi\w* msisdn\w* handset\w*
        contacts?(?:~(?:<no>|details?|info\w*|person|methods?))?$ contact(?:no|num\w*|details?)
    """,
    "a vehicle registration": r"""
        vrms? vrns? vrm\w* (?:veh|vehicle|car|auto|kfz|vrm)_reg\w*
        reg_(?:plate|mark|no|num|number)s? regist\w*_(?:plate|mark|no|num|number)s? registration$
        licen[cs]e_plates?\w* plates? plate_<no> number_plates? lic_plates?
        licen[cs]e_(?:no|num|number) vin vins vin_<no> chassis\w* kenteken\w*
        (?:kfz)?_kennzeichen\w* matriculas? targa immatric\w* tag_no
    """,
    "an address": r"""
        address\w* addr addrs \w+addr addr_\d? addrline\w* adress\w* adres anschrift\w* direccion\w*
        indirizz\w* enderec\w* domicil\w* dwelling_(?:no|number) house_(?:no|num|number|name)s?
        hausn\w* flat_(?:no|num|number)s? apartments? apts? door_(?:no|num|number)
        building_(?:no|num|number)s? (?:street|st|road)_(?:names?|no|num|number|address|line|text)s?
        streets?$ ^streets?(?:~\d)?$ cross_streets? strasse\w* straat\w* \w+strasse \w+straat
        calles? ruas? rue ulica gata hundred_blocks? block_(?:addr\w*|range|text|no|num|number)
        blocks?$ post_codes? postcodes\w+ postal_(?:codes?)? postal\w* pcds? pcode\w*
        zips?(?:_codes?)?(?:_\d)? zip_codes?\w* plz postleit\w* code_postal codigo_postal cap_code
        ^flat$ uprns? usrns? toids? what_3_words? w_3_w premises?_(?:names?|no|number)
        residence_(?:of|no|number) home_(?:loc\w*|town)
    """,
    "an officer or a member of staff": r"""
        officers? officer(?:id|no|num|name)\w* ofcr\w* offcr\w* oic collar\w* shoulder_<no>
        warrant_card\w* badges?\w* epaulet\w* pcs?_<no> pc_name pcso_<no> sgt sergeants? constables?
        detectives? investigators? dispatchers? call_takers? operators?_<no> payroll\w*
        employees?\w* staff_<no> supervisors?
        (?:entered|created|updated|modified|recorded|attended|taken|input|keyed|amended|edited)_by
        assigned_to attending_(?:officer|unit_no) agente beamter sachbearbeiter\w*
    """,
    "free text": r"""
        free_te?xts?\w* \w{3,}(?:notes|comments|remarks) narr\w* notes? notiz\w* comments?
        comment\w* cmnts? remarks? rmks? memos? synops\w* summary summaries verbatim transcripts?
        statements? story modus\w* mo m~o mo(?:text|desc\w*|details?|notes?) details? texts?
        (?:mo|log|call|msg|message)_<said> messages? circumstances account_of\w* allegations?
        bemerkung\w* opmerking\w* observaciones osservazioni relato tatbeschreibung\w*
        sachverhalt\w* full_desc\w* long_desc\w* event_text incident_(?:text|log|story)
        cad_<said>\w* dispatch_<said> (?:999|911|101)_<said>
    """,
    "a marker on a person or a gang": r"""
        gangs?\w* ocgs? clique\w* affiliat\w* markers? warning_(?:flags?|signals?|markers?|ind\w*)
        (?:risk|wanted|terror\w*|mental_health|mh|suicide|hate|sex_offender)_(?:flags?|ind\w*|grade)
        mental\w* medical\w* health\w* vulnerab\w* safeguard\w* danger(?:ous)?_(?:to_police|person)
        watch_list\w* hot_list\w* registered_sex\w* mappa prevent_ref\w*
    """,
    "intelligence": r"""
        intel intels intelligence intel\w* crimint\w* chis covert\w* surveillance\w* source_(?:grade|eval\w*)
        5x5x5 3x5x2 5_x_5_x_5 3_x_5_x_2 sir_(?:no|ref\w*) informer\w* tasking_intel
    """,
    "stop and search": r"""
        stops?_(?:and|n|und|et|frisk)?_(?:search\w*|frisk\w*|account\w*) frisk\w* searched
        objects?_of_search\w* removal_of_more\w*
        search_(?:object|reason|outcome|subject|grounds?|type)\w* stop_(?:grounds?|reason|ref\w*)
        s60 section_60 terry_stop
    """,
    "custody": r"""
        custod\w* detain\w* detention\w* dp_(?:no|number|name) charge_sheet\w* bailed police_bail
        haft\w* arrest\w* charged? charges?_(?:desc\w*|code|class|group|type|level|date|text)
    """,
    "names of people": r"""
        \w*surnames? \w*forenames? \w*fore_names? initials? aliases alias akas? nick_names?
        monikers? maiden\w* given_names? family_names? last_names? first_names? middle_names?
        prenoms? vorname\w* nachname\w* voorna\w* achterna\w* apellid\w* cognom\w* sobrenome
        efternamn efternavn fornamn fornavn fname lname mname sname (?:last|first|full|sur|fore)nm
    """,
}
"""Kind of data -> words of column names that speak of it."""

GLUED_TELLTALES = r"""
    victim suspect offender witness defendant complainant surname forename firstname lastname
    middlename fullname dateofbirth birthdate ethnic nationality passport postalcode zipcode
    telephone phoneno email numberplate licen[cs]eplate narrative freetext stopsearch stopandsearch
    custody nominal arrestee perpetrator officer(?!init|gen|hour|count|led) modusoperandi religion homeaddr
    streetname housenum geburtsdat nachname vorname apellido address reporting(?=part|person)
    (?:crime|incident|case|brief)detail (?:crime|incident|case|closing)summary telno bailcond collarn
    postcode(?!area|dist|sect) contact(?=name|tel|no) caller(?=n|id|addr|tel) dispatcherid people(?=inv)
    (?:modified|created|updated|entered|recorded)by sexual(?=orient) sexcode yearborn ageat(?=inc|off|arr)
    (?:known|susp|vict|off)alias offcollar
"""
"""Telling even inside a longer word written in one piece."""

MISSPELT = """
    surname forename lastname firstname postcode address nationality ethnicity religion telephone
    victim suspect offender witness complainant defendant narrative custody passport registration
    nominal comments
"""
"""Words telling enough to be known with one slip of the pen: a letter left out, doubled, changed or exchanged."""

NAME_WORDS = "name names nm nome naam navn namn nombre nombres imie nazwisko cognome prenom nom noms"
"""A name of whom or what is told by the word beside it."""

NAMED_THINGS = """
    ward beat district offence offense crime force agency lsoa msoa oa lad borough boro area region
    county city state country neighbourhood neighborhood nbhd hood station precinct division sector
    zone file column field layer dataset data source category subcategory type subtype class group
    month day week weekday dow season holiday model unit shift table schema index feature weapon
    statute law act parish community comm park parks line route profile kernel format version grid
    boundary constituency town village municipality province suburb bcu csp command department dept
    org organisation organization authority council court code map metric parameter variable event
    ucr nibrs tract hour period scheme operation campaign incident fbi call priority patrol planning
    dist sub bureau cell hexagon short long tz timezone tool legend colour color server host stop
    commune departement hotspot system cluster site river series queue landmark project programme
    indicator theme tag polygon basin mnemonic template
"""
"""Things whose names are no one's."""


@dataclass(frozen=True)
class Pattern:
    """A pattern of values.

    Attributes
    ----------
    kind
        What it looks like.
    regex, unless
        What a value must contain, and what takes it back.
    share
        Share of the distinct values from which on it counts.
    """

    kind: str
    regex: str
    share: float
    unless: str | None = None


ANY, FEW, MANY = 0.0, 0.005, 0.1

_OFFENCES = (
    r"(?i)theft|burgl|assault|robber|larcen|murder|homicid|damage|drug|weapon|fraud|arson|vehicle|offen[cs]e|crim"
    r"|sex|rape|violen|order|trespass|other|abuse|batter|kidnap|forger|embezz|stolen|gambl|prostit|vandal|mischief"
    r"|traffic|driving|attempt|simple|aggravat|misdemean|felon|shoplift|harass|intimid|stalk|possess|residen"
    r"|commercial|business|unknown|property"
)
_FORENAMES = (
    "james|john|robert|michael|william|david|richard|joseph|thomas|charles|christopher|daniel|matthew|anthony|mark"
    "|paul|steven|andrew|joshua|kevin|brian|george|edward|ronald|timothy|jason|jeffrey|ryan|jacob|gary|nicholas"
    "|eric|jonathan|stephen|larry|justin|scott|brandon|benjamin|samuel|gregory|frank|alexander|patrick|jack|dennis"
    "|peter|simon|ian|alan|colin|graham|liam|oliver|harry|callum|mohammed|muhammad|mohamed|ahmed|ali|abdul|jose"
    "|juan|carlos|luis|mary|patricia|jennifer|linda|elizabeth|barbara|susan|jessica|sarah|karen|lisa|nancy|betty"
    "|sandra|margaret|ashley|kimberly|emily|donna|michelle|carol|amanda|melissa|deborah|stephanie|rebecca|laura"
    "|helen|sharon|cynthia|kathleen|amy|angela|anna|emma|ruth|olivia|sophie|chloe|claire|nicola|fatima|aisha|maria"
    "|jane|alice|lucy|hannah|jean|pierre|hans|klaus|jan|anja|priya|wei|pavel|olga|kwame|tyrone|jamal|keisha"
)
_ROAD = (
    r"(?:street|st|road|rd|avenue|ave|av|lane|ln|close|cl|drive|dr|court|ct|place|pl|way|gardens|gdns|crescent|cres"
    r"|terrace|boulevard|blvd|square|sq|mews|hill|grove|row|walk|parade|pkwy|hwy)"
)
_TITLE = r"(?:mr|mrs|ms|miss|mx|dr|prof|rev|sir|lady|pc|dc|ps|ds|di|dci|pcso|sgt|insp|det|ofc|officer)\.?"
_PHONE_ABROAD = r"\+\d{1,3}[ .-]?(?:\(0\))?[ .\d-]{8,14}\d"
_PHONE_AT_HOME = r"04\d{2} \d{3} \d{3}|\(0\d\) ?\d{4} ?\d{4}|0\d(?:[ .]\d{2}){4}|0\d0-\d{4}-\d{4}"
"""Of Australia (mobile, and with its area), France and Japan."""
_PLATES = (
    r"[A-Z]{2}\d{2} ?[A-Z]{3}|[A-Z]\d{1,3} [A-Z]{3}|[A-Z]{3} \d{1,3}[A-Z]"
    r"|[A-Z]\d{2,3}[A-Z]{3}|[A-Z]{3}\d{2,3}[A-Z]"
)
_POSTCODE = r"[A-PR-UWYZ][A-HK-Y]?\d[A-Z\d]? ?\d[ABD-HJLNP-UW-Z]{2}"
_POLICE_IDS = r"\d{4}/\d{6,7}[A-Z]|\d{2}/\d{5,7}[A-Z]|\d{3,6}/\d{2}[A-Z]|SF\d{2}/\d{3,6}[A-Z]"

VALUE_TELLTALES = (
    Pattern("e-mail addresses", r"[\w.+-]+@[\w-]+\.[\w.-]+", ANY),
    Pattern("phone numbers", rf"(?:^|\D)(?:{_PHONE_ABROAD}|\(\d{{3,5}}\) ?\d[\d -]{{5,}})(?:$|\D)", FEW),
    Pattern("phone numbers", r"(?:^|[^\d.-])\d{3}[-. ]\d{3}[-. ]\d{4}(?:$|[^\d.-])", FEW),
    Pattern("phone numbers", rf"(?:^|[^\d.-])(?:{_PHONE_AT_HOME})(?:$|[^\d.-])", FEW),
    Pattern("phone numbers", r"^(?:0|0044 ?|44 ?)7\d{3}[ -]?\d{3}[ -]?\d{3}$", MANY),
    Pattern("phone numbers", r"^(?:0|0044 ?|44 ?)[12]\d{1,4}[ -]?\d{3,4}[ -]?\d{3,4}$", MANY),
    Pattern("national identity numbers", r"^\d{3}-\d{2}-\d{4}$", FEW),
    Pattern("national insurance numbers", r"(?i)^[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]$", FEW),
    Pattern("vehicle registrations", rf"(?i)^(?:{_PLATES})$", MANY),
    Pattern("PNC or CRO numbers", rf"(?i)^(?:{_POLICE_IDS})$", FEW),
    Pattern("postcodes", rf"(?i)^(?:GIR ?0AA|{_POSTCODE})$", MANY),
    Pattern(
        "addresses",
        rf"(?i)(?:^|[ ,])\d{{1,5}}[A-Z]?(?:[-/]\d+[A-Z]?)?X{{0,2}},? +(?:[\w'.]+ +){{1,4}}{_ROAD}(?:$|[ ,.])",
        FEW,
    ),
    Pattern("addresses", r"(?i)(?:^|[ ,])(?:flat|apartment|apt|room) +\d+\w?[ ,].*[A-Z]", FEW),
    Pattern("addresses", r"(?i)\d+\w? .*[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}(?:$|[ ,.])", FEW),
    Pattern("IP addresses", r"^\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}$", FEW),
    Pattern(
        "names of people", rf"(?i)^{_TITLE} +(?:\d{{2,6}} +)?(?:[A-Z]\.? +)*[A-Z][a-z'-]+", FEW, _OFFENCES
    ),
    Pattern("officers", r"^(?:PC|DC|PS|DS|DI|PCSO|Sgt|SGT|Ofc|OFC) ?\d{2,6}\b", FEW),
    Pattern("names of people", r"^[A-Z][A-Z'-]{2,}, ?[A-Z][a-z]+(?:[ -][A-Z][a-z]*\.?)*$", MANY, _OFFENCES),
    Pattern("names of people", rf"(?i)^[A-Z'-]{{2,}}, ?(?:{_FORENAMES})(?: [A-Z]+\.?)*$", MANY, _OFFENCES),
    Pattern(
        "names of people",
        rf"(?i)^(?:{_FORENAMES})(?: [A-Z]\.?| [A-Z'-]+)? [A-Z'-]{{2,}}$",
        MANY,
        rf"{_OFFENCES}| {_ROAD}$",
    ),
)
"""Patterns of values; few hits count where one can hardly arise by chance."""
