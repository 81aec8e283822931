"""What of scipy.special is not here, and why: functions without rules, and names with nothing to differentiate."""

from __future__ import annotations

__all__ = ["CONSTANT", "REFUSED"]

_SEQUENCE = "it returns the values of all orders up to one at a single point; call the function of one order instead"
_MULTI = "it is not a ufunc; use eval_legendre or lpmv, which are differentiable in their argument"

REFUSED: dict[str, str] = {
    "assoc_legendre_p": _MULTI,
    "assoc_legendre_p_all": _SEQUENCE,
    "ellip_harm": "no accurate formula for its derivative is known",
    "ellip_harm_2": "no accurate formula for its derivative is known",
    "ellip_normal": "no accurate formula for its derivative is known",
    "factorial2": "it is defined for integers; use gamma",
    "factorialk": "it is defined for integers; use gamma",
    "legendre_p": _MULTI,
    "legendre_p_all": _SEQUENCE,
    "lmbda": _SEQUENCE,
    "lqmn": _SEQUENCE,
    "lqn": _SEQUENCE,
    "mathieu_even_coef": "no accurate formula for its derivative is known",
    "mathieu_odd_coef": "no accurate formula for its derivative is known",
    "obl_cv_seq": _SEQUENCE,
    "pbdn_seq": _SEQUENCE,
    "pbdv_seq": _SEQUENCE,
    "pbvv_seq": _SEQUENCE,
    "pro_cv_seq": _SEQUENCE,
    "riccati_jn": _SEQUENCE,
    "riccati_yn": _SEQUENCE,
    "sph_harm_y": "no rule for its angles; compose it from lpmv, cos and sin",
    "sph_harm_y_all": _SEQUENCE,
    "sph_legendre_p": _MULTI,
    "sph_legendre_p_all": _SEQUENCE,
}
"""Functions of real arguments that have no rule."""

_ZEROS = (
    "ai_zeros", "bei_zeros", "beip_zeros", "ber_zeros", "berp_zeros", "bi_zeros", "erf_zeros", "fresnel_zeros",
    "fresnelc_zeros", "fresnels_zeros", "jn_zeros", "jnjnp_zeros", "jnp_zeros", "jnyn_zeros", "kei_zeros", "keip_zeros",
    "kelvin_zeros", "ker_zeros", "kerp_zeros", "y0_zeros", "y1_zeros", "y1p_zeros", "yn_zeros", "ynp_zeros",
)  # fmt: skip
_ROOTS = (
    "c_roots", "cg_roots", "h_roots", "he_roots", "j_roots", "js_roots", "l_roots", "la_roots", "p_roots", "ps_roots",
    "roots_chebyc", "roots_chebys", "roots_chebyt", "roots_chebyu", "roots_gegenbauer", "roots_genlaguerre",
    "roots_hermite", "roots_hermitenorm", "roots_jacobi", "roots_laguerre", "roots_legendre", "roots_sh_chebyt",
    "roots_sh_chebyu", "roots_sh_jacobi", "roots_sh_legendre", "s_roots", "t_roots", "ts_roots", "u_roots", "us_roots",
)  # fmt: skip
_POLYNOMIALS = (
    "chebyc", "chebys", "chebyt", "chebyu", "gegenbauer", "genlaguerre", "hermite", "hermitenorm", "jacobi", "laguerre",
    "legendre", "sh_chebyt", "sh_chebyu", "sh_jacobi", "sh_legendre",
)  # fmt: skip
_INTEGERS = ("bernoulli", "euler", "stirling2")
_SETTINGS = ("SpecialFunctionError", "SpecialFunctionWarning", "errstate", "geterr", "seterr")
_MODULES = ("add_newdocs", "basic", "orthogonal", "sf_error", "specfun", "spfun_stats", "test")

CONSTANT: dict[str, str] = {
    **dict.fromkeys(_ZEROS, "it lists zeros of a function"),
    **dict.fromkeys(_ROOTS, "it gives the nodes and weights of a quadrature"),
    **dict.fromkeys(_POLYNOMIALS, "it makes a polynomial object; what evaluates it, eval_..., is differentiable"),
    **dict.fromkeys(_INTEGERS, "it is a function of integers"),
    **dict.fromkeys(_SETTINGS, "it is about SciPy's treatment of errors"),
    **dict.fromkeys(_MODULES, "it is a module of SciPy's"),
}
"""Names that are no functions of real arguments."""
