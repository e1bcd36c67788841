"""Phantom study: patients with a latent course, films rendered from it, simulated readers.

Films (signatures; everything is reproducible to the byte from its seeds):

``body.make_body(seed, *, domain="first") -> Body``
    One patient: bones, habitus, morphology of every site. Stable over visits.
``conditions.draw_conditions(rng, view, domain="first", *, kind="good") -> Conditions``
    How one film is taken. ``view`` is ``"cervical"`` or ``"lumbar"``. ``kind`` is ``"good"``, one of
    ``conditions.POOR_KINDS`` (still scorable, at least partly) or of ``conditions.WRONG_KINDS`` (to refuse).
``conditions.draw_kind(rng, *, poor=0.12, wrong=0.0) -> str``
``placement.visibility(conditions, body, sites=None) -> dict[str, float]``
    Per site of that view 0 (hidden or off the film) to 1; cheap, renders nothing.
``render.render_film(body, states, conditions, seed) -> RenderedFilm``
    ``states``: site -> (grade 0..3, extent 0..1); sites left out are (0, 0.0), the other view is ignored.
    ``RenderedFilm.pixels``: uint16 (rows, columns), 12 bits, bone bright whatever ``photometric`` says.
    ``RenderedFilm.spacing_mm``: (row, column) on the detector; ``shown_spacing_mm``: None where hidden.
    ``RenderedFilm.corners``: DataFrame site, x, y, grade, extent, visibility, visible, x0, y0, x1, y1.
    ``RenderedFilm.vertebrae``: DataFrame level, x0, y0, x1, y1, visibility, polygon (n x 2 array) in pixels.
    A wrong film (``conditions.kind`` in ``WRONG_KINDS``) has empty ``corners`` and ``vertebrae``.
``dicom_out.write_dicom(film, path, *, subject, visit, study_date, uid_seed) -> Path``
    DX or CR file with trial tags and a made-up patient name and id that ingest has to strip.
``films.make_film(study_seed, subject, visit, view, states, domain="first", *, poor=0.12, wrong=0.0,
kind=None) -> RenderedFilm``
    Body and conditions drawn from (study_seed, subject) and (study_seed, subject, visit, view).
``films.film_conditions(study_seed, subject, visit, view, domain="first", *, poor=0.12, wrong=0.0, kind=None)
-> tuple[Body, Conditions]``
    The same draw without rendering; with ``visibility`` this is what simulated readers need.
"""
