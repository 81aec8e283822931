"""Distribution functions of statistics, their complements and inverses."""

from __future__ import annotations

from typing import Any

from tapegrad import _native
from tapegrad._ops.elementwise import elementwise
from tapegrad.special._incomplete import beta_density, betainc_da, betainc_db, gamma_density
from tapegrad.special._table import SCOPE

__all__ = ["LINES", "NAMES"]

_exp, _where = elementwise.exp, _native.where


def noncentral_chi2_density(x: Any, df: Any, nc: Any) -> Any:
    """Return the density of the noncentral chi-square distribution, by a Bessel function of moderate arguments."""
    product = x * nc
    near = 0.5 * _exp(-0.5 * nc) * gamma_density(0.5 * df, 0.5 * x) * SCOPE["hyp0f1"](0.5 * df, 0.25 * product)
    distance = elementwise.sqrt(x) - elementwise.sqrt(nc)
    bessel = SCOPE["ive"](0.5 * df - 1.0, elementwise.sqrt(product))
    far = 0.5 * _exp(-0.5 * distance * distance) * elementwise.power(x / nc, 0.25 * df - 0.5) * bessel
    return _where(elementwise.less(product, 100.0), near, far)


def _f_fraction(n: Any, m: Any, x: Any) -> tuple[Any, Any]:
    """Return w = n x / (m + n x), and 1 - w."""
    total = m + n * x
    return n * x / total, m / total


def fdtr_dn(n: Any, m: Any, x: Any) -> Any:
    """Return the derivative of the F distribution in the first degrees of freedom."""
    w, rest = _f_fraction(n, m, x)
    a, b = 0.5 * n, 0.5 * m
    inner = _where(elementwise.less(w, 0.5), betainc_da(a, b, w), -betainc_db(b, a, rest))
    return 0.5 * inner + fdtr_dx(n, m, x) * x / n


def fdtr_dm(n: Any, m: Any, x: Any) -> Any:
    """Return the derivative of the F distribution in the second degrees of freedom."""
    w, rest = _f_fraction(n, m, x)
    a, b = 0.5 * n, 0.5 * m
    inner = _where(elementwise.less(w, 0.5), betainc_db(a, b, w), -betainc_da(b, a, rest))
    return 0.5 * inner - fdtr_dx(n, m, x) * x / m


def fdtr_dx(n: Any, m: Any, x: Any) -> Any:
    """Return the density of the F distribution."""
    w, rest = _f_fraction(n, m, x)
    a, b = 0.5 * n, 0.5 * m
    density = _where(elementwise.less(w, 0.5), beta_density(a, b, w), beta_density(b, a, rest))
    return density * w * rest / x


def stdtr_df(df: Any, t: Any) -> Any:
    """Return the derivative of Student's distribution in its degrees of freedom."""
    square = t * t
    w, rest = df / (df + square), square / (df + square)
    half = 0.5 * df
    inner = _where(elementwise.less(w, 0.5), -betainc_da(half, 0.5, w), betainc_db(0.5, half, rest))
    return 0.25 * elementwise.sign(t) * inner - 0.5 * stdtr_dt(df, t) * t / df


def stdtr_dt(df: Any, t: Any) -> Any:
    """Return the density of Student's distribution."""
    exponent = -0.5 * (df + 1.0) * elementwise.log1p(t * t / df)
    return _exp(exponent) / (elementwise.sqrt(df) * SCOPE["beta"](0.5 * df, 0.5))


def ndtri_slope(p: Any, x: Any) -> Any:
    """Return the derivative at p of x = ndtri(p); for small p the exponential is taken from p itself."""
    left = SCOPE["erfcx"](-0.7071067811865476 * x) / p
    return 1.2533141373155003 * _where(elementwise.less(p, 0.5), left, 2.0 * _exp(0.5 * x * x))


def kolmogorov_slope(x: Any) -> Any:
    """Return the derivative of Kolmogorov's survival function: one of two series that are theta functions."""
    square = x * x
    far = 0.0 * x
    for k in range(5, 0, -1):
        far = (-1.0) ** k * 8.0 * k * k * x * _exp(-2.0 * k * k * square) + far
    # 1 - sqrt(2 pi) / x * sum of exp(-c / x**2) with c = (2k - 1)**2 pi**2 / 8.
    near = 0.0 * x
    for k in range(4, 0, -1):
        c = (2 * k - 1) ** 2 * 1.2337005501361697
        near = _exp(-c / square) * (1.0 - 2.0 * c / square) + near
    near = 2.5066282746310002 * near / square
    return _where(elementwise.less(x, 0.0), 0.0 * x, _where(elementwise.less(x, 0.8), near, far))


def tklmbda_parts(p: Any, y: Any) -> tuple[Any, Any]:
    """Return the derivatives of the quantile (p**y - (1 - p)**y) / y of Tukey's distribution, in p and in y."""
    slope = SCOPE["boxcox_slope"]
    in_p = elementwise.power(p, y - 1.0) + elementwise.power(1.0 - p, y - 1.0)
    return in_p, slope(elementwise.log(p), y) - slope(elementwise.log1p(-p), y)


def _inside(p: Any, value: Any) -> Any:
    """Return the value where 0 < p < 1, and 0 elsewhere."""
    return _where(elementwise.multiply(elementwise.greater(p, 0.0), elementwise.less(p, 1.0)), value, 0.0)


LINES = """
ndtr      | 0.3989422804014327 * exp(-0.5 * x * x)                      | -4 4     | holomorphic
log_ndtr  | 0.7978845608028654 / erfcx(-0.7071067811865476 * x)         | -9 4     | holomorphic
ndtri     | ndtri_slope(x, out)                                         | 0.02 0.98 | -
ndtri_exp | 1.2533141373155003 * erfcx(-0.7071067811865476 * out)       | -9 -0.1  | -
nrdtrimn  | -y * ndtri_slope(x, ndtri(x)); -ndtri(x); 1.0               | 0.1 0.9; 0.5 3; -3 3 | -
nrdtrisd  | -1.0 / ndtri(y); -out / ndtri(y) * ndtri_slope(y, ndtri(y)); 1.0 / ndtri(y)
          | -2 0; 0.6 0.95; 0.5 3 | -
owens_t   | -0.19947114020071635 * exp(-0.5 * x * x) * erf(0.7071067811865476 * x * y);
            0.15915494309189535 * exp(-0.5 * x * x * (1.0 + y * y)) / (1.0 + y * y) | -2 2; -2 2 | -
chdtr     | 0.5 * gammainc_da(0.5 * x, 0.5 * y); 0.5 * gamma_density(0.5 * x, 0.5 * y)   | 0.5 9; 0.2 9 | -
chdtrc    | -0.5 * gammainc_da(0.5 * x, 0.5 * y); -0.5 * gamma_density(0.5 * x, 0.5 * y) | 0.5 9; 0.2 9 | -
chdtri    | -gammainc_da(0.5 * x, 0.5 * out) / gamma_density(0.5 * x, 0.5 * out);
            -2.0 / gamma_density(0.5 * x, 0.5 * out)                    | 0.6 9; 0.05 0.95 | -
chdtriv   | 2.0 / gammainc_da(0.5 * out, 0.5 * y);
            -gamma_density(0.5 * out, 0.5 * y) / gammainc_da(0.5 * out, 0.5 * y) | 0.1 0.9; 0.5 9 | -
chndtr    | noncentral_chi2_density(x, y, z); !parameter; -noncentral_chi2_density(x, y + 2.0, z)
          | 0.5 9; 0.5 6; 0.2 5 | -
chndtrix  | 1.0 / noncentral_chi2_density(out, y, z); !parameter;
            noncentral_chi2_density(out, y + 2.0, z) / noncentral_chi2_density(out, y, z)
          | 0.1 0.9; 0.5 6; 0.2 5 | -
chndtridf | !parameter; !parameter; !parameter | 2 9; 0.2 0.8; 0.2 3 | -
chndtrinc | noncentral_chi2_density(x, y, out) / noncentral_chi2_density(x, y + 2.0, out); !parameter;
            -1.0 / noncentral_chi2_density(x, y + 2.0, out)             | 5 9; 0.5 3; 0.1 0.4 | -
gdtr      | z * gamma_density(y, x * z); gammainc_da(y, x * z); x * gamma_density(y, x * z)
          | 0.3 3; 0.3 5; 0.2 4 | -
gdtrc     | -z * gamma_density(y, x * z); -gammainc_da(y, x * z); -x * gamma_density(y, x * z)
          | 0.3 3; 0.3 5; 0.2 4 | -
gdtria    | 1.0 / (z * gamma_density(y, out * z)); -gammainc_da(y, out * z) / (z * gamma_density(y, out * z)); -out / z
          | 0.1 0.9; 0.5 5; 0.3 4 | -
gdtrib    | -z * gamma_density(out, x * z) / gammainc_da(out, x * z); 1.0 / gammainc_da(out, x * z);
            -x * gamma_density(out, x * z) / gammainc_da(out, x * z)    | 0.3 3; 0.1 0.9; 0.5 4 | -
gdtrix    | -out / x; -gammainc_da(y, out * x) / (x * gamma_density(y, out * x)); 1.0 / (x * gamma_density(y, out * x))
          | 0.3 3; 0.5 5; 0.1 0.9 | -
pdtr      | -; -gamma_density(floor(x) + 1.0, y)      | int 0 9; 0.2 9 | -
pdtrc     | -; gamma_density(floor(x) + 1.0, y)       | int 0 9; 0.2 9 | -
pdtri     | -; -1.0 / gamma_density(floor(x) + 1.0, out) | int 0 9; 0.1 0.9 | -
pdtrik    | -1.0 / gammainc_da(out + 1.0, y); -gamma_density(out + 1.0, y) / gammainc_da(out + 1.0, y)
          | 0.4 0.9; 3 9 | -
bdtr      | -; !count; -beta_density(floor(x) + 1.0, y - floor(x), z)     | int 0 4; int 5 9; 0.1 0.9 | -
bdtrc     | -; !count; beta_density(floor(x) + 1.0, y - floor(x), z)      | int 0 4; int 5 9; 0.1 0.9 | -
bdtri     | -; !count; -1.0 / beta_density(floor(x) + 1.0, y - floor(x), out) | int 0 4; int 5 9; 0.1 0.9 | -
bdtrik    | !parameter; !parameter; !parameter                            | 0.2 0.8; 5 9; 0.2 0.8 | -
bdtrin    | !parameter; !parameter; !parameter                            | 1 4; 0.2 0.8; 0.2 0.8 | -
nbdtr     | -; !count; beta_density(y, floor(x) + 1.0, z)                 | int 0 5; int 1 6; 0.1 0.9 | -
nbdtrc    | -; !count; -beta_density(y, floor(x) + 1.0, z)                | int 0 5; int 1 6; 0.1 0.9 | -
nbdtri    | -; !count; 1.0 / beta_density(y, floor(x) + 1.0, out)         | int 0 5; int 1 6; 0.1 0.9 | -
nbdtrik   | !parameter; !parameter; !parameter                            | 0.2 0.8; 2 6; 0.2 0.8 | -
nbdtrin   | !parameter; !parameter; !parameter                            | 1 4; 0.2 0.8; 0.2 0.8 | -
fdtr      | fdtr_dn(x, y, z); fdtr_dm(x, y, z); fdtr_dx(x, y, z)          | 0.5 6; 0.5 6; 0.2 4 | -
fdtrc     | -fdtr_dn(x, y, z); -fdtr_dm(x, y, z); -fdtr_dx(x, y, z)       | 0.5 6; 0.5 6; 0.2 4 | -
fdtri     | -fdtr_dn(x, y, out) / fdtr_dx(x, y, out); -fdtr_dm(x, y, out) / fdtr_dx(x, y, out);
            1.0 / fdtr_dx(x, y, out)                                      | 1 6; 1 6; 0.1 0.9 | -
fdtridfd  | -fdtr_dn(x, out, z) / fdtr_dm(x, out, z); 1.0 / fdtr_dm(x, out, z); -fdtr_dx(x, out, z) / fdtr_dm(x, out, z)
          | 2 6; 0.55 0.6; 1.1 1.3 | -
stdtr     | stdtr_df(x, y); stdtr_dt(x, y)                                | 0.5 9; -4 4 | -
stdtrit   | -stdtr_df(x, out) / stdtr_dt(x, out); 1.0 / stdtr_dt(x, out)  | 0.6 9; 0.1 0.9 | -
stdtridf  | 1.0 / stdtr_df(out, y); -stdtr_dt(out, y) / stdtr_df(out, y)  | 0.8 0.85; 1.1 1.3 | -
tklmbda   | tklmbda_dx(x, y, out); tklmbda_dy(x, y, out)                  | -0.8 0.8; -0.9 0.9 | -
kolmogorov | kolmogorov_slope(x)            | 0.3 2   | -
kolmogi   | 1.0 / kolmogorov_slope(out)     | 0.02 0.98 | -
smirnov   | !count; !none                   | int 2 9; 0.1 0.9 | -
smirnovi  | !count; !none                   | int 2 9; 0.1 0.9 | -
ncfdtr    | !parameter; !parameter; !parameter; !none      | 2 6; 2 6; 0.5 2; 0.5 3 | -
ncfdtri   | !parameter; !parameter; !parameter; !none      | 2 6; 2 6; 0.5 2; 0.2 0.8 | -
ncfdtridfd | !parameter; !parameter; !parameter; !parameter | 2 6; 0.2 0.8; 0.5 2; 0.5 3 | -
ncfdtridfn | !parameter; !parameter; !parameter; !parameter | 0.2 0.8; 2 6; 0.5 2; 0.5 3 | -
ncfdtrinc | !parameter; !parameter; !parameter; !parameter | 2 6; 2 6; 0.2 0.8; 0.5 3 | -
nctdtr    | !parameter; !parameter; !none                  | 2 6; 0.2 1; 0.2 3 | -
nctdtridf | !parameter; !parameter; !parameter             | 0.2 0.8; 0.2 1; 0.2 3 | -
nctdtrinc | !parameter; !parameter; !parameter             | 2 6; 0.2 0.8; 0.2 3 | -
nctdtrit  | !parameter; !parameter; !none                  | 2 6; 0.2 1; 0.2 0.8 | -
"""

NAMES: dict[str, Any] = {
    "fdtr_dm": fdtr_dm,
    "fdtr_dn": fdtr_dn,
    "fdtr_dx": fdtr_dx,
    "kolmogorov_slope": kolmogorov_slope,
    "ndtri_slope": ndtri_slope,
    "noncentral_chi2_density": noncentral_chi2_density,
    "stdtr_df": stdtr_df,
    "stdtr_dt": stdtr_dt,
    "tklmbda_dx": lambda x, y, out: _inside(out, 1.0 / tklmbda_parts(out, y)[0]),
    "tklmbda_dy": lambda x, y, out: _inside(out, -tklmbda_parts(out, y)[1] / tklmbda_parts(out, y)[0]),
}
