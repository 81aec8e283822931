"""Hypergeometric functions and the orthogonal polynomials, differentiated in their argument."""

from __future__ import annotations

from typing import Any

__all__ = ["LINES", "NAMES"]

# The derivative of a polynomial of degree n is one of degree n - 1 of a neighbouring family; of degree 0 it vanishes.
LINES = """
hyp0f1 | !parameter; hyp0f1(x + 1.0, y) / x                                    | 0.5 4; -3 3 | holomorphic
hyp1f1 | !parameter; !parameter; x / y * hyp1f1(x + 1.0, y + 1.0, z)           | 0.5 3; 0.5 4; -3 3 | holomorphic
hyp2f1 | !parameter; !parameter; !parameter; x * y / z * hyp2f1(x + 1.0, y + 1.0, z + 1.0, w)
       | 0.5 3; 0.5 3; 1 4; -0.9 0.7 | holomorphic
hyperu | !parameter; !parameter; -x * hyperu(x + 1.0, y + 1.0, z)              | 0.5 3; 0.5 3; 0.3 4 | -
eval_jacobi      | !order; !parameter; !parameter;
                   where(x == 0, 0.0, 0.5 * (x + y + z + 1.0) * eval_jacobi(x - 1, y + 1.0, z + 1.0, w))
                 | int 0 6; 0.2 2; 0.2 2; -0.9 0.9 | holomorphic
eval_sh_jacobi   | !order; !parameter; !parameter; where(x == 0, 0.0, x * eval_sh_jacobi(x - 1, y + 2.0, z + 1.0, w))
                 | int 0 5; 2 4; 0.5 2; 0.1 0.9 | holomorphic
eval_gegenbauer  | !order; !parameter; where(x == 0, 0.0, 2.0 * y * eval_gegenbauer(x - 1, y + 1.0, z))
                 | int 0 6; 0.3 2; -0.9 0.9 | holomorphic
eval_legendre    | !order; where(x == 0, 0.0, eval_gegenbauer(x - 1, 1.5, y))         | int 0 8; -0.9 0.9 | holomorphic
eval_sh_legendre | !order; where(x == 0, 0.0, 2.0 * eval_gegenbauer(x - 1, 1.5, 2.0 * y - 1.0))
                 | int 0 8; 0.1 0.9 | holomorphic
eval_chebyt      | !order; where(x == 0, 0.0, x * eval_chebyu(x - 1, y))              | int 0 8; -0.9 0.9 | holomorphic
eval_chebyu      | !order; where(x == 0, 0.0, 2.0 * eval_gegenbauer(x - 1, 2.0, y))   | int 0 8; -0.9 0.9 | holomorphic
eval_chebyc      | !order; where(x == 0, 0.0, x * eval_chebys(x - 1, y))              | int 0 8; -1.9 1.9 | holomorphic
eval_chebys      | !order; where(x == 0, 0.0, eval_gegenbauer(x - 1, 2.0, 0.5 * y))   | int 0 8; -1.9 1.9 | holomorphic
eval_sh_chebyt   | !order; where(x == 0, 0.0, 2.0 * x * eval_sh_chebyu(x - 1, y))     | int 0 8; 0.1 0.9 | holomorphic
eval_sh_chebyu   | !order; where(x == 0, 0.0, 4.0 * eval_gegenbauer(x - 1, 2.0, 2.0 * y - 1.0))
                 | int 0 8; 0.1 0.9 | holomorphic
eval_hermite     | !order; where(x == 0, 0.0, 2.0 * x * eval_hermite(maximum(x - 1, 0), y))     | int 0 8; -2 2 | -
eval_hermitenorm | !order; where(x == 0, 0.0, x * eval_hermitenorm(maximum(x - 1, 0), y))       | int 0 8; -2 2 | -
eval_laguerre    | !order; where(x == 0, 0.0, -eval_genlaguerre(x - 1, 1.0, y))       | int 0 8; 0.1 5 | holomorphic
eval_genlaguerre | !order; !parameter; where(x == 0, 0.0, -eval_genlaguerre(x - 1, y + 1.0, z))
                 | int 0 8; 0.2 2; 0.1 5 | holomorphic
lpmv    | !order; !order; ((x + y) * lpmv(x, y - 1.0, z) - y * z * out) / (1.0 - z * z) | int 0 2; 2 5; -0.9 0.9 | -
wright_bessel     | !parameter; !parameter; wright_bessel(x, x + y, z)        | 0.3 2; 0.3 3; 0.2 4 | -
log_wright_bessel | !parameter; !parameter; exp(log_wright_bessel(x, x + y, z) - out) | 0.3 2; 0.3 3; 0.2 4 | -
"""

NAMES: dict[str, Any] = {}
