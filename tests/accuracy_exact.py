"""The functions of the accuracy page in exact arithmetic: mpmath's, under the names of tapegrad's.

Functions with several results are given as lists. What mpmath cannot compute (spheroidal and Mathieu functions) is
absent.
"""

import mpmath as mp
import scipy.special

ROOT2 = mp.sqrt(2)


def inverse(name, function, place):
    """The inverse of a function in the argument at `place`, by Newton's method from SciPy's value."""

    def inverted(*arguments):
        start = mp.mpf(float(getattr(scipy.special, name)(*[float(a) for a in arguments])))
        wanted = arguments[place]

        def excess(t):
            return function(*[t if k == place else a for k, a in enumerate(arguments)]) - wanted

        return mp.findroot(excess, (start, start * (1 + mp.mpf(10) ** -12)), solver="secant", tol=mp.mpf(10) ** -90)

    return inverted


def moved(function, order):
    """The function of the arguments in another order."""
    return lambda *arguments: function(*[arguments[k] for k in order])


def gammainc(a, x):
    return mp.gammainc(a, 0, x, regularized=True)


def gammaincc(a, x):
    return mp.gammainc(a, x, mp.inf, regularized=True)


def betainc(a, b, x):
    return mp.betainc(a, b, 0, x, regularized=True)


def stdtr(df, t):
    tail = betainc(df / 2, mp.mpf(1) / 2, df / (df + t * t)) / 2
    return 1 - tail if t > 0 else tail


def fdtr(n, m, x):
    return betainc(n / 2, m / 2, n * x / (m + n * x))


def chndtr(x, df, nc):
    half, term, total = nc / 2, mp.exp(-nc / 2), mp.mpf(0)
    for j in range(60):
        total += term * gammainc(df / 2 + j, x / 2)
        term *= half / (j + 1)
    return total


def kolmogorov(x):
    return 2 * sum((-1) ** (k - 1) * mp.exp(-2 * k * k * x * x) for k in range(1, 40))


def tukey(p, shape):
    return (p**shape - (1 - p) ** shape) / shape


def owens_t(h, a):
    return mp.quad(lambda t: mp.exp(-h * h * (1 + t * t) / 2) / (1 + t * t), [0, a]) / (2 * mp.pi)


def voigt(x, sigma, gamma):
    z = (x + 1j * gamma) / (sigma * ROOT2)
    return (mp.exp(-z * z) * mp.erfc(-1j * z)).real / (sigma * mp.sqrt(2 * mp.pi))


def exprel(x):
    return mp.expm1(x) / x


def boxcox(x, power):
    return mp.expm1(power * mp.log(x)) / power


def huber(delta, r):
    return r * r / 2 if abs(r) <= delta else delta * (abs(r) - delta / 2)


def kelvin_slope(sign, first, second):
    return lambda x: (sign * first(1, x) + second(1, x)) / ROOT2


def sh_jacobi(n, p, q, x):
    return mp.jacobi(n, p - q, q - 1, 2 * x - 1) / mp.binomial(2 * n + p - 1, n)


def wright_bessel(a, b, x):
    return sum(x**k * mp.rgamma(k + 1) * mp.rgamma(a * k + b) for k in range(80))


def modified_fresnel(x, sign):
    phase = mp.exp(sign * 1j * mp.pi / 4)
    f = mp.sqrt(mp.pi) / 2 * phase * mp.erfc(x / phase)
    return [f.real, (mp.exp(-sign * 1j * (x * x + mp.pi / 4)) * f / mp.sqrt(mp.pi)).real]


def degrees(function):
    return lambda x: function(mp.radians(x))


GAMMA = {
    "gamma": mp.gamma,
    "gammaln": lambda x: mp.log(abs(mp.gamma(x))),
    "loggamma": mp.loggamma,
    "rgamma": mp.rgamma,
    "psi": lambda x: mp.psi(0, x),
    "digamma": lambda x: mp.psi(0, x),
    "beta": mp.beta,
    "betaln": lambda x, y: mp.log(mp.beta(x, y)),
    "binom": mp.binomial,
    "poch": mp.rf,
    "zetac": lambda x: mp.zeta(x) - 1,
    "gammainc": gammainc,
    "gammaincc": gammaincc,
    "gammaincinv": inverse("gammaincinv", gammainc, 1),
    "gammainccinv": inverse("gammainccinv", gammaincc, 1),
    "betainc": betainc,
    "betaincc": lambda a, b, x: mp.betainc(a, b, x, 1, regularized=True),
    "betaincinv": inverse("betaincinv", betainc, 2),
    "betainccinv": inverse("betainccinv", lambda a, b, x: 1 - betainc(a, b, x), 2),
    "btdtria": inverse("btdtria", betainc, 0),
    "btdtrib": inverse("btdtrib", betainc, 1),
}

DISTRIBUTIONS = {
    "ndtr": mp.ncdf,
    "log_ndtr": lambda x: mp.log(mp.ncdf(x)),
    "ndtri": lambda p: ROOT2 * mp.erfinv(2 * p - 1),
    "ndtri_exp": lambda y: ROOT2 * mp.erfinv(2 * mp.exp(y) - 1),
    "nrdtrimn": lambda p, std, x: x - std * ROOT2 * mp.erfinv(2 * p - 1),
    "nrdtrisd": lambda mn, p, x: (x - mn) / (ROOT2 * mp.erfinv(2 * p - 1)),
    "owens_t": owens_t,
    "chdtr": lambda v, x: gammainc(v / 2, x / 2),
    "chdtrc": lambda v, x: gammaincc(v / 2, x / 2),
    "chdtri": inverse("chdtri", lambda v, x: gammaincc(v / 2, x / 2), 1),
    "chdtriv": inverse("chdtriv", lambda v, x: gammainc(v / 2, x / 2), 0),
    "chndtr": chndtr,
    "gdtr": lambda a, b, x: gammainc(b, a * x),
    "gdtrc": lambda a, b, x: gammaincc(b, a * x),
    "gdtria": inverse("gdtria", lambda a, b, x: gammainc(b, a * x), 0),
    "gdtrib": inverse("gdtrib", lambda a, b, x: gammainc(b, a * x), 1),
    "gdtrix": inverse("gdtrix", lambda a, b, x: gammainc(b, a * x), 2),
    "pdtr": lambda k, m: gammaincc(mp.floor(k) + 1, m),
    "pdtrc": lambda k, m: gammainc(mp.floor(k) + 1, m),
    "pdtri": inverse("pdtri", lambda k, m: gammaincc(k + 1, m), 1),
    "bdtr": lambda k, n, p: betainc(n - k, k + 1, 1 - p),
    "bdtrc": lambda k, n, p: betainc(k + 1, n - k, p),
    "bdtri": inverse("bdtri", lambda k, n, p: betainc(n - k, k + 1, 1 - p), 2),
    "nbdtr": lambda k, n, p: betainc(n, k + 1, p),
    "nbdtrc": lambda k, n, p: betainc(k + 1, n, 1 - p),
    "nbdtri": inverse("nbdtri", lambda k, n, p: betainc(n, k + 1, p), 2),
    "fdtr": fdtr,
    "fdtrc": lambda n, m, x: 1 - fdtr(n, m, x),
    "fdtri": inverse("fdtri", fdtr, 2),
    "stdtr": stdtr,
    "stdtrit": inverse("stdtrit", stdtr, 1),
    "tklmbda": inverse("tklmbda", lambda p, shape: tukey(p, shape), 0),
    "kolmogorov": kolmogorov,
    "kolmogi": inverse("kolmogi", kolmogorov, 0),
}

ERROR = {
    "erf": mp.erf,
    "erfc": mp.erfc,
    "erfcx": lambda x: mp.exp(x * x) * mp.erfc(x),
    "erfi": mp.erfi,
    "erfinv": mp.erfinv,
    "erfcinv": lambda x: mp.erfinv(1 - x),
    "dawsn": lambda x: mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x),
    "wofz": lambda x: mp.exp(-x * x),
    "fresnel": lambda x: [mp.fresnels(x), mp.fresnelc(x)],
    "modfresnelp": lambda x: modified_fresnel(x, 1),
    "modfresnelm": lambda x: modified_fresnel(x, -1),
    "voigt_profile": voigt,
}

ELEMENTARY = {
    "expit": lambda x: 1 / (1 + mp.exp(-x)),
    "log_expit": lambda x: -mp.log1p(mp.exp(-x)),
    "logit": lambda x: mp.log(x / (1 - x)),
    "exp2": lambda x: mp.mpf(2) ** x,
    "exp10": lambda x: mp.mpf(10) ** x,
    "expm1": mp.expm1,
    "log1p": mp.log1p,
    "exprel": exprel,
    "cbrt": mp.cbrt,
    "cosm1": lambda x: mp.cos(x) - 1,
    "powm1": lambda x, y: x**y - 1,
    "sindg": degrees(mp.sin),
    "cosdg": degrees(mp.cos),
    "tandg": degrees(mp.tan),
    "cotdg": degrees(mp.cot),
    "xlogy": lambda x, y: x * mp.log(y),
    "xlog1py": lambda x, y: x * mp.log1p(y),
    "entr": lambda x: -x * mp.log(x),
    "rel_entr": lambda x, y: x * mp.log(x / y),
    "kl_div": lambda x, y: x * mp.log(x / y) - x + y,
    "huber": huber,
    "pseudo_huber": lambda d, r: d * d * (mp.sqrt(1 + (r / d) ** 2) - 1),
    "boxcox": boxcox,
    "boxcox1p": lambda x, power: boxcox(1 + x, power),
    "inv_boxcox": lambda y, power: (1 + power * y) ** (1 / power),
    "inv_boxcox1p": lambda y, power: (1 + power * y) ** (1 / power) - 1,
    "wrightomega": lambda x: mp.lambertw(mp.exp(x)).real,
}

BESSEL = {
    "jv": mp.besselj,
    "yv": mp.bessely,
    "yn": mp.bessely,
    "iv": mp.besseli,
    "kv": mp.besselk,
    "kn": mp.besselk,
    "ive": lambda v, x: mp.exp(-x) * mp.besseli(v, x),
    "kve": lambda v, x: mp.exp(x) * mp.besselk(v, x),
    "hankel1": lambda v, x: mp.hankel1(v, x).real,
    "hankel2": lambda v, x: mp.hankel2(v, x).real,
    "hankel1e": lambda v, x: (mp.hankel1(v, x) * mp.exp(-1j * x)).real,
    "hankel2e": lambda v, x: (mp.hankel2(v, x) * mp.exp(1j * x)).real,
    "j0": lambda x: mp.besselj(0, x),
    "j1": lambda x: mp.besselj(1, x),
    "y0": lambda x: mp.bessely(0, x),
    "y1": lambda x: mp.bessely(1, x),
    "i0": lambda x: mp.besseli(0, x),
    "i1": lambda x: mp.besseli(1, x),
    "k0": lambda x: mp.besselk(0, x),
    "k1": lambda x: mp.besselk(1, x),
    "i0e": lambda x: mp.exp(-x) * mp.besseli(0, x),
    "i1e": lambda x: mp.exp(-x) * mp.besseli(1, x),
    "k0e": lambda x: mp.exp(x) * mp.besselk(0, x),
    "k1e": lambda x: mp.exp(x) * mp.besselk(1, x),
    "airy": lambda x: [f(x, derivative=k) for f in (mp.airyai, mp.airybi) for k in (0, 1)],
    "airye": lambda x: [
        mp.exp(sign * 2 * x * mp.sqrt(x) / 3) * f(x, derivative=k)
        for f, sign in ((mp.airyai, 1), (mp.airybi, -1))
        for k in (0, 1)
    ],
    "ber": lambda x: mp.ber(0, x),
    "bei": lambda x: mp.bei(0, x),
    "ker": lambda x: mp.ker(0, x),
    "kei": lambda x: mp.kei(0, x),
    "berp": kelvin_slope(1, mp.ber, mp.bei),
    "beip": kelvin_slope(-1, mp.ber, mp.bei),
    "kerp": kelvin_slope(1, mp.ker, mp.kei),
    "keip": kelvin_slope(-1, mp.ker, mp.kei),
    "struve": mp.struveh,
    "modstruve": mp.struvel,
}

ELLIPTIC = {
    "ellipk": mp.ellipk,
    "ellipkm1": lambda p: mp.ellipk(1 - p),
    "ellipe": mp.ellipe,
    "ellipkinc": mp.ellipf,
    "ellipeinc": mp.ellipe,
    "ellipj": lambda u, m: [mp.ellipfun(kind, u=u, m=m) for kind in ("sn", "cn", "dn")],
    "agm": mp.agm,
    "elliprc": mp.elliprc,
    "elliprf": mp.elliprf,
    "elliprd": mp.elliprd,
    "elliprg": mp.elliprg,
    "elliprj": mp.elliprj,
}

HYPERGEOMETRIC = {
    "hyp0f1": mp.hyp0f1,
    "hyp1f1": mp.hyp1f1,
    "hyp2f1": mp.hyp2f1,
    "hyperu": mp.hyperu,
    "eval_jacobi": mp.jacobi,
    "eval_sh_jacobi": sh_jacobi,
    "eval_gegenbauer": mp.gegenbauer,
    "eval_legendre": mp.legendre,
    "eval_sh_legendre": lambda n, x: mp.legendre(n, 2 * x - 1),
    "eval_chebyt": mp.chebyt,
    "eval_chebyu": mp.chebyu,
    "eval_chebyc": lambda n, x: 2 * mp.chebyt(n, x / 2),
    "eval_chebys": lambda n, x: mp.chebyu(n, x / 2),
    "eval_sh_chebyt": lambda n, x: mp.chebyt(n, 2 * x - 1),
    "eval_sh_chebyu": lambda n, x: mp.chebyu(n, 2 * x - 1),
    "eval_hermite": mp.hermite,
    "eval_hermitenorm": lambda n, x: mp.hermite(n, x / ROOT2) / ROOT2**n,
    "eval_laguerre": lambda n, x: mp.laguerre(n, 0, x),
    "eval_genlaguerre": mp.laguerre,
    "lpmv": lambda m, v, x: mp.legenp(v, m, x, type=2).real,
    "wright_bessel": wright_bessel,
    "log_wright_bessel": lambda a, b, x: mp.log(wright_bessel(a, b, x)),
}

INTEGRALS = {
    "exp1": mp.e1,
    "expi": mp.ei,
    "expn": mp.expint,
    "sici": lambda x: [mp.si(x), mp.ci(x)],
    "shichi": lambda x: [mp.shi(x), mp.chi(x).real],
    "spence": lambda x: mp.polylog(2, 1 - x).real,
    "itairy": lambda x: [
        mp.airyai(x, derivative=-1),
        mp.airybi(x, derivative=-1),
        -mp.airyai(-x, derivative=-1),
        -mp.airybi(-x, derivative=-1),
    ],
}

SPECIAL = {
    "Gamma and beta functions": GAMMA,
    "Distribution functions": DISTRIBUTIONS,
    "Error functions": ERROR,
    "Elementary combinations": ELEMENTARY,
    "Bessel functions": BESSEL,
    "Elliptic integrals and functions": ELLIPTIC,
    "Hypergeometric functions and polynomials": HYPERGEOMETRIC,
    "Integrals": INTEGRALS,
}

ELEMENTWISE = {
    "divide": lambda x, y: x / y,
    "square": lambda x: x * x,
    "reciprocal": lambda x: 1 / x,
    "power": lambda x, y: x**y,
    "sqrt": mp.sqrt,
    "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)),
    "hypot": mp.hypot,
    "exp": mp.exp,
    "exp2": lambda x: mp.mpf(2) ** x,
    "expm1": mp.expm1,
    "log": mp.log,
    "log2": lambda x: mp.log(x, 2),
    "log10": mp.log10,
    "log1p": mp.log1p,
    "logaddexp": lambda x, y: mp.log(mp.exp(x) + mp.exp(y)),
    "logaddexp2": lambda x, y: mp.log(mp.mpf(2) ** x + mp.mpf(2) ** y, 2),
    "xlogy": lambda x, y: x * mp.log(y),
    "xlog1py": lambda x, y: x * mp.log1p(y),
    "sin": mp.sin,
    "cos": mp.cos,
    "tan": mp.tan,
    "arcsin": mp.asin,
    "arccos": mp.acos,
    "arctan": mp.atan,
    "arctan2": mp.atan2,
    "sinh": mp.sinh,
    "cosh": mp.cosh,
    "tanh": mp.tanh,
    "arcsinh": mp.asinh,
    "arccosh": mp.acosh,
    "arctanh": mp.atanh,
    "erf": mp.erf,
    "erfc": mp.erfc,
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "log_sigmoid": lambda x: -mp.log1p(mp.exp(-x)),
    "softplus": lambda x: mp.log1p(mp.exp(x)),
    "softsign": lambda x: x / (1 + abs(x)),
    "silu": lambda x: x / (1 + mp.exp(-x)),
    "gelu": lambda x: x * mp.ncdf(x),
    "gelu_tanh": lambda x: x / 2 * (1 + mp.tanh(mp.sqrt(2 / mp.pi) * (x + mp.mpf("0.044715") * x**3))),
}

OTHERS = {
    "polygamma(2, x)": (lambda f, x: f.polygamma(2, x), lambda x: mp.psi(2, x), [(0.1, 20.0)]),
    "zeta(x, q)": (lambda f, x, q: f.zeta(x, q), mp.zeta, [(1.2, 20.0), (0.1, 20.0)]),
    "zeta(x)": (lambda f, x: f.zeta(x), mp.zeta, [(-4.0, 0.9)]),
    "lambertw(x)": (lambda f, x: f.lambertw(x), lambda x: mp.lambertw(x).real, [(-0.3, 20.0)]),
    "multigammaln(x, 3)": (
        lambda f, x: f.multigammaln(x, 3),
        lambda x: sum(mp.loggamma(x - mp.mpf(k) / 2) for k in range(3)),
        [(1.1, 20.0)],
    ),
    "spherical_jn(2, x)": (
        lambda f, x: f.spherical_jn(2, x),
        lambda x: mp.sqrt(mp.pi / (2 * x)) * mp.besselj(2.5, x),
        [(0.1, 9.0)],
    ),
    "spherical_kn(2, x)": (
        lambda f, x: f.spherical_kn(2, x),
        lambda x: mp.sqrt(mp.pi / (2 * x)) * mp.besselk(2.5, x),
        [(0.1, 9.0)],
    ),
    "diric(x, 5)": (
        lambda f, x: f.diric(x, 5),
        lambda x: mp.sin(5 * x / 2) / (5 * mp.sin(x / 2)),
        [(0.1, 3.0)],
    ),
}
"""Functions outside the table of ufuncs: how to call them, exactly, and where to sample each argument."""
