# Reference-based conditional mean imputation on mmrm_trial.csv, in R with nlme alone; makes reference_based.csv.
# Run in tests/reference: Rscript reference_based.R
library(nlme)
d <- read.csv("mmrm_trial.csv", comment.char = "#")
visits <- unique(d$visit)
d$v <- match(d$visit, visits)
d$active <- as.numeric(d$arm == "Active")
people <- d[d$v == 1, ]
people$baseline <- people$baseline - mean(people$baseline)
d$baseline <- people$baseline[match(d$subject, people$subject)]
wide <- t(sapply(people$subject, function(s) d$change[d$subject == s][order(d$v[d$subject == s])]))

fitted_model <- function(subjects) {
  rows <- d[d$subject %in% subjects & !is.na(d$change), ]
  fit <- gls(change ~ factor(v) - 1 + factor(v):active + factor(v):baseline, rows, method = "ML",
             correlation = corSymm(form = ~ v | subject), weights = varIdent(form = ~ 1 | v),
             control = glsControl(opt = "optim", maxIter = 500, msMaxIter = 2000, tolerance = 1e-13, msTol = 1e-14))
  full <- names(which(table(rows$subject) == length(visits)))[1]
  sigma <- getVarCov(fit, individual = full)
  list(b = matrix(coef(fit), length(visits)), sigma = matrix(as.numeric(sigma), length(visits)), fit = fit)
}

difference <- function(subjects, how) {
  model <- fitted_model(subjects)
  who <- people[people$subject %in% subjects, ]
  y <- wide[people$subject %in% subjects, ]
  end <- length(visits)
  for (i in seq_len(nrow(who))) {
    if (!is.na(y[i, end])) next
    own <- model$b %*% c(1, who$active[i], who$baseline[i])
    ref <- model$b %*% c(1, 0, who$baseline[i])
    seen <- which(!is.na(y[i, ]))
    last <- if (length(seen)) max(seen) else 0
    mean <- own
    if (how == "j2r") mean[seq_len(end) > last] <- ref[seq_len(end) > last]
    if (how == "cr") mean <- ref
    if (how == "cir") {
      step <- if (last) ref - ref[last] + own[last] else ref
      mean[seq_len(end) > last] <- step[seq_len(end) > last]
    }
    y[i, end] <- mean[end] + if (last)
      model$sigma[end, seen, drop = FALSE] %*% solve(model$sigma[seen, seen, drop = FALSE]) %*% (y[i, seen] - mean[seen]) else 0
  }
  coef(lm(y[, end] ~ who$active + who$baseline))[[2]]
}

everyone <- people$subject
out <- NULL
for (how in c("mar", "j2r", "cr", "cir")) {
  value <- difference(everyone, how)
  rest <- sapply(everyone, function(s) difference(setdiff(everyone, s), how))
  n <- length(rest)
  out <- rbind(out, data.frame(assumption = how, estimate = value, se = sqrt((n - 1) / n * sum((rest - mean(rest))^2))))
}
contrast <- fitted_model(everyone)$fit
out <- rbind(out, data.frame(assumption = "gls", estimate = coef(contrast)[["factor(v)4:active"]], se = NA))
writeLines(paste0("# ", R.version.string, ", nlme ", packageVersion("nlme"), ": reference_based.R on mmrm_trial.csv; Active minus Placebo at the last visit, jackknife se"), "reference_based.csv")
write.table(format(out, digits = 9), "reference_based.csv", sep = ",", row.names = FALSE, quote = FALSE, append = TRUE)
