"""What a difference between arms stands for: events after the start of treatment, and films that are missing.

Words of ICH E9(R1) 2019. Reference-based imputation: Carpenter, Roger and Kenward 2013 (J Biopharm Stat
23:1352). Conditional mean imputation with the jackknife: Wolbers, Noci, Delmar et al. 2022 (Pharm Stat
21:1246). Tipping point: Yan, Lee and Li 2009 (Drug Inf J 43:325).
"""
