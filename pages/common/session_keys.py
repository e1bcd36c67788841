"""Every key of the session's state that is used in more than one place, named once."""

FILTER = "filter"  # core.domain.CohortFilter
SHOWN_FILTER = "shown_filter"  # the same as it is used: with the campaign that counts
PLACE = "place"  # pages.common.url_state.Place: patient, site, the two visits
HERE = "here"  # the page of the last run, as pages.common.views.choices.slug_of names it
CHOICES = "choices"  # pages.common.views.choices.Choices: what was chosen in the widgets of the pages
NOTICES = "notices"  # the place at the top of a page where it is said what a link asked for in vain
SHOWN_PLACE = "shown_place"  # the same as it is used
WRITTEN = "address_written"  # the query parameters that this session wrote last
SEEN_VERSION = "seen_version"  # cohort version of the last full run of a page
SEEN_THEME = "seen_theme"  # the theme for which figures were drawn at the last full run
MADE_FROM = "made_from"  # table -> last event that had changed it, of all that this run of a page shows
RUNNING_JOBS = "running_jobs"  # folders of the jobs that ran when the list of jobs was drawn last
SEEN_AT = "seen_at"  # seconds (monotonic) of the last rerun that new rows caused

SYSTEM = "filter_system"
ARMS = "filter_arms"
SEXES = "filter_sexes"
VISITS = "filter_visits"
SUBJECTS = "filter_subjects"
COVARIATES = "filter_covariates"
CENTRES = "filter_centres"
RANGES = "filter_ranges"  # names; with _NAME behind it the slider of one
CAMPAIGN = "filter_campaign"
CLEAR = "filter_clear"
SELECTION = "filter_selection"  # (words, short) of who is in, on a page whose results are of a selection

OPEN_SECTION = "open_section"  # the container of the section that is open, on pages that have sections
PATIENT = "patient_choice"
FIRST = "first_visit"
LAST = "last_visit"
REGION = "patient_region"
REVEAL = "films_asked_for"  # how often a person asked to see the films
PATIENT_SECTION = "patient_section"  # which section of the Patient page is open
PATIENT_SECTION_NEXT = "patient_section_next"  # the one to open at the next run
TOTAL_SECTION = "From total to pixels"
SIDE = "patient_side"  # of the region, where a visit has films of one side each

MARGIN = "agreement_margin"
MARGIN_REASON = "agreement_margin_reason"

DESCRIBED = (
    "described"  # pages.common.ways_out.described.Described: what figures say when they leave the page
)
CHOSEN = "chosen"  # pages.common.ways_out.chosen.Chosen: what was chosen below the question of a page
MADE_WITH = "made_with"  # software, cohort version, phantoms: in everything that leaves the page
