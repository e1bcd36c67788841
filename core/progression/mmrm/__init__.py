"""Mixed model for repeated measures: REML with a covariance among visits, no random effects.

``model.mmrm`` is the whole analysis; ``fit`` finds the optimum, ``inference`` gives degrees of freedom.
Sources: Mallinckrodt et al. 2008 (doi:10.1177/009286150804200402) for the use in trials; Satterthwaite 1946;
Kenward and Roger 1997 (doi:10.2307/2533558). Compared in the tests with R nlme, lmerTest, pbkrtest and with
SAS and R mmrm output published by the mmrm project.
"""
