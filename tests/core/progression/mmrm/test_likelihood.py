"""The REML likelihood, its derivatives and what follows, against dense matrices and finite differences."""

import numpy as np
import pytest

from core.progression.mmrm.fit import fit
from core.progression.mmrm.inference import effect, inference
from core.progression.mmrm.likelihood import evaluate, slopes
from core.progression.mmrm.panel import panel
from core.progression.mmrm.structures import NAMES, structure

VISITS = 4


def data(seed=1, subjects=30, groups=1):
    """Random rows with gaps; every visit and pair of visits occurs."""
    rng = np.random.default_rng(seed)
    subject, visit = np.divmod(np.arange(subjects * VISITS), VISITS)
    arm = subject % 2
    kept = rng.random(len(subject)) > 0.2
    kept[: 4 * VISITS] = True
    x = np.column_stack([np.ones(len(subject)), arm, visit, rng.normal(size=len(subject))])
    y = x @ [1, 0.5, 0.3, -0.2] + rng.normal(size=subjects)[subject] + rng.normal(size=len(subject))
    group = arm if groups == 2 else np.zeros(len(subject), int)
    parts = [part[kept] for part in (y, x, subject, visit, group)]
    parts[2] = np.unique(parts[2], return_inverse=True)[1]
    return parts


def theta_of(shape, seed=2, groups=1):
    """Parameters of a definite covariance away from any optimum."""
    rng = np.random.default_rng(seed)
    thetas = []
    for _ in range(groups):
        root = rng.normal(size=(VISITS, VISITS)) * 0.3
        thetas.append(shape.start(np.eye(VISITS) * rng.uniform(1, 2, VISITS) + root @ root.T + 0.4))
    return np.concatenate(thetas)


def dense_loglik(parts, shape, theta):
    """The definition: one big V."""
    y, x, _, _, group = parts
    v = dense_v(parts, [shape.matrix(part) for part in np.split(theta, group.max() + 1)])
    inverse = np.linalg.inv(v)
    a = x.T @ inverse @ x
    r = y - x @ np.linalg.solve(a, x.T @ inverse @ y)
    free = len(y) - x.shape[1]
    return -0.5 * (
        free * np.log(2 * np.pi) + np.linalg.slogdet(v)[1] + np.linalg.slogdet(a)[1] + r @ inverse @ r
    )


def dense_v(parts, matrices):
    _, _, subject, visit, group = parts
    same = subject[:, None] == subject[None, :]
    pairs = np.array(matrices)[group][np.arange(len(visit))[:, None], visit[:, None], visit[None, :]]
    return np.where(same, pairs, 0.0)


def numeric(function, theta, step=1e-5):
    return np.array(
        [
            (function(theta + step * unit) - function(theta - step * unit)) / (2 * step)
            for unit in np.eye(len(theta))
        ]
    )


@pytest.mark.parametrize("name", NAMES)
def test_derivatives_of_the_covariance(name):
    shape = structure(name, VISITS)
    theta = theta_of(shape)
    np.testing.assert_allclose(shape.first(theta), numeric(shape.matrix, theta), atol=1e-8)
    np.testing.assert_allclose(shape.second(theta), numeric(shape.first, theta), atol=1e-7)
    assert shape.size == len(theta)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("name", NAMES)
def test_likelihood_gradient_and_hessian(name, groups):
    parts, shape = data(groups=groups), structure(name, VISITS)
    rows, theta = panel(*parts, VISITS), theta_of(shape, groups=groups)
    state = evaluate(rows, shape, theta)
    assert state.loglik == pytest.approx(dense_loglik(parts, shape, theta), abs=1e-8)
    found = slopes(rows, shape, state)
    np.testing.assert_allclose(
        found.gradient, numeric(lambda t: dense_loglik(parts, shape, t), theta), rtol=1e-5, atol=1e-5
    )

    def gradient(at):
        return slopes(rows, shape, evaluate(rows, shape, at)).gradient

    np.testing.assert_allclose(found.hessian, numeric(gradient, theta), rtol=1e-4, atol=1e-4)
    assert np.linalg.eigvalsh(found.fisher)[0] > 0


def test_a_covariance_that_is_not_definite_has_no_likelihood():
    shape = structure("cs", VISITS)
    assert evaluate(panel(*data(), VISITS), shape, np.array([0.0, -0.5])) is None
    assert evaluate(panel(*data(), VISITS), shape, np.array([0.0, 1.0])) is None


@pytest.mark.parametrize("name", NAMES)
def test_the_optimum_has_no_gradient_and_no_better_neighbour(name):
    parts, shape = data(5, 60), structure(name, VISITS)
    rows = panel(*parts, VISITS)
    found = fit(rows, shape)
    assert found.converged
    assert np.abs(found.slopes.gradient).max() < 1e-5
    rng = np.random.default_rng(0)
    for _ in range(20):
        near = evaluate(rows, shape, found.state.theta + 0.02 * rng.normal(size=shape.size))
        assert near is None or near.loglik < found.state.loglik


@pytest.mark.parametrize("name", ["us", "ar1", "toeph"])
def test_kenward_roger_and_satterthwaite_equal_their_definitions(name):
    """Dense matrices and numeric derivatives of the model covariance, for one combination."""
    parts, shape = data(7, 25), structure(name, VISITS)
    rows = panel(*parts, VISITS)
    found = fit(rows, shape)
    theta, x = found.state.theta, parts[1]
    v = dense_v(parts, [shape.matrix(theta)])
    inverse = np.linalg.inv(v)
    phi = np.linalg.inv(x.T @ inverse @ x)
    w = np.linalg.inv(-found.slopes.hessian)
    dv = [dense_v(parts, [matrix]) for matrix in shape.first(theta)]
    p = [-x.T @ inverse @ one @ inverse @ x for one in dv]
    total = sum(
        w[a, b] * (x.T @ inverse @ dv[a] @ inverse @ dv[b] @ inverse @ x - p[a] @ phi @ p[b])
        for a in range(len(dv))
        for b in range(len(dv))
    )
    adjusted = phi + 2 * phi @ total @ phi
    c = np.array([0, 1.0, 0.5, -1])

    def variance(at):
        inverse = np.linalg.inv(dense_v(parts, [shape.matrix(at)]))
        return c @ np.linalg.inv(x.T @ inverse @ x) @ c

    slope = numeric(variance, theta)
    df = 2 * (c @ phi @ c) ** 2 / (slope @ w @ slope)
    plain = effect(inference(rows, shape, found, "satterthwaite"), c)
    rogered = effect(inference(rows, shape, found, "kenward-roger"), c)
    assert plain.se == pytest.approx(np.sqrt(c @ phi @ c), rel=1e-8)
    assert rogered.se == pytest.approx(np.sqrt(c @ adjusted @ c), rel=1e-7)
    assert rogered.se > plain.se
    assert plain.df == pytest.approx(df, rel=1e-5)
    assert rogered.df == plain.df
    assert rogered.estimate == plain.estimate


def test_the_parametrisation_does_not_matter():
    """A homogeneous Toeplitz covariance of two visits is compound symmetry and AR(1) at once."""
    y, x, subject, visit, group = data(3, 40)
    two = visit < 2
    numbered = np.unique(subject[two], return_inverse=True)[1]
    rows = panel(y[two], x[two], numbered, visit[two], group[two], 2)
    results = [
        effect(inference(rows, shape, fit(rows, shape), "kenward-roger"), np.array([0, 1.0, 0, 0]))
        for shape in (structure(name, 2) for name in ("cs", "ar1", "toep"))
    ]
    for other in results[1:]:
        assert [other.se, other.df] == pytest.approx([results[0].se, results[0].df], rel=1e-7)


def test_one_visit_is_the_t_test():
    from scipy import stats

    rng = np.random.default_rng(8)
    arm = np.arange(24) % 2
    y = rng.normal(size=24) + arm
    x = np.column_stack([np.ones(24), arm])
    rows = panel(y, x, np.arange(24), np.zeros(24, int), np.zeros(24, int), 1)
    shape = structure("us", 1)
    found = effect(inference(rows, shape, fit(rows, shape), "satterthwaite"), np.array([0, 1.0]))
    expected = stats.ttest_ind(y[arm == 1], y[arm == 0])
    assert [found.t, found.p, found.df] == pytest.approx([expected.statistic, expected.pvalue, 22])


def test_an_unknown_structure_is_said():
    with pytest.raises(ValueError, match="spatial is none of us"):
        structure("spatial", 3)
