"""Programs written for other libraries, run on tapegrad: those for HIPS autograd.

`install_as_autograd()` puts `tapegrad.compat.autograd` in autograd's place for what is imported afterwards, and
`python -m tapegrad.compat program.py` runs a program so.
"""

from tapegrad.compat.installation import install_as_autograd, uninstall_autograd

__all__ = ["install_as_autograd", "uninstall_autograd"]
