"""Makes from the public header what repeats its declarations: the function table, and Cython's view of it.

    python src/tapecore/interface.py            writes tapecore_table.h and __init__.pxd, which are in the repository
    python src/tapecore/interface.py api_table.c   (the build) writes the table of the functions themselves

The header's functions stand between two marks, each as `type name(parameters);`. Their order is the order of the table.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).resolve().parents[2] / "python" / "tapegrad"
HEADER = PACKAGE / "include" / "tapegrad" / "tapecore.h"
TABLE = HEADER.with_name("tapecore_table.h")
DECLARATIONS = PACKAGE / "__init__.pxd"

# The host fills these in: without one they are not there, or another function.
OF_THE_HOST = ("context_new", "context_free", "to_python", "from_python", "raise")


class Function(NamedTuple):
    """One declaration, with single spaces."""

    result: str
    name: str
    parameters: str

    @property
    def short(self) -> str:
        """The name in the table."""
        return self.name.removeprefix("tapegrad_")


def without_comments(text: str) -> str:
    """Return C text with single spaces and without comments."""
    return re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL)).strip()


def functions_of(header: str) -> list[Function]:
    """Return the functions that the header declares between its marks."""
    part = header.partition("/* --- the functions")[2].partition("/* --- end of the functions")[0]
    found = []
    for declaration in without_comments("/*" + part).split(";"):
        if not declaration.strip():
            continue
        match = re.fullmatch(r"(.*?[ *])(tapegrad_\w+)\((.*)\)", declaration.strip())
        if match is None:
            raise ValueError(f"{HEADER.name}: not a declaration of a function: {declaration.strip()!r}")
        found.append(Function(match[1].strip(), match[2], match[3]))
    return found


def joined(result: str, rest: str) -> str:
    """Return a C declaration: a star goes to the name."""
    return f"{result}{rest}" if result.endswith("*") else f"{result} {rest}"


def wrapped(line: str) -> str:
    """Return a line of at most 120 columns, or more lines that break after commas, aligned with the parameters."""
    lines = [line]
    parameters = re.match(r"[^(]*(?:\(\*\w+\))?\(", line)
    indent = " " * (len(parameters[0]) if parameters else 0)
    while len(lines[-1]) > 120:
        cut = lines[-1].rindex(", ", 0, 119) + 1
        lines[-1:] = [lines[-1][:cut], indent + lines[-1][cut + 1 :]]
    return "\n".join(lines)


TABLE_TEXT = """\
/* tapecore_table.h: the functions of tapecore.h as a table, for extension modules. Made from it by interface.py. */
#ifndef TAPEGRAD_TAPECORE_TABLE_H
#define TAPEGRAD_TAPECORE_TABLE_H

typedef struct tapegrad_table {{
    uint32_t abi, features; /* TAPEGRAD_ABI and TAPEGRAD_FEATURES of the tapegrad that provides it */
    size_t bytes;           /* sizeof(tapegrad_table) there */
{members}
}} tapegrad_table;

#ifndef TAPEGRAD_DIRECT

/* Where the module keeps the table. A module of several files defines TAPEGRAD_UNIQUE_SYMBOL, a name of its own, in all
 * of them, and TAPEGRAD_NO_IMPORT in all but the one that calls import_tapegrad(). */
#ifdef TAPEGRAD_UNIQUE_SYMBOL
#define tapegrad_the_table TAPEGRAD_UNIQUE_SYMBOL
#ifdef TAPEGRAD_NO_IMPORT
extern const tapegrad_table *tapegrad_the_table;
#else
const tapegrad_table *tapegrad_the_table;
#endif
#else
static const tapegrad_table *tapegrad_the_table;
#endif

{names}

#if defined(Py_PYTHON_H) && !defined(TAPEGRAD_NO_IMPORT)

/* To be called once, in the module's init function, before any other function. 0, or -1 with an ImportError: tapegrad
 * is not installed, or does not fit the version that this module was built for. */
static inline int import_tapegrad(void) {{
    /* Not by PyCapsule_Import, which finds only what has been imported already. */
    PyObject *native = PyImport_ImportModule("tapegrad._native");
    PyObject *capsule = native ? PyObject_GetAttrString(native, "_C_API") : NULL;
    const tapegrad_table *table =
        capsule ? (const tapegrad_table *)PyCapsule_GetPointer(capsule, "tapegrad._native._C_API") : NULL;
    Py_XDECREF(capsule); /* the module, which is never unloaded, keeps the table */
    Py_XDECREF(native);
    if (!table) {{
        if (PyErr_ExceptionMatches(PyExc_AttributeError)) {{
            PyErr_SetString(PyExc_ImportError, "the installed tapegrad has no C interface: install a newer one");
        }}
        return -1;
    }}
    if (table->abi != TAPEGRAD_ABI) {{
        PyErr_Format(PyExc_ImportError,
                     "this module was built for version %d of tapegrad's C interface, and the installed tapegrad "
                     "provides version %u: build the module again, or install a tapegrad that fits",
                     TAPEGRAD_ABI, (unsigned)table->abi);
        return -1;
    }}
    if (table->features < TAPEGRAD_FEATURES || table->bytes < sizeof *table) {{
        PyErr_Format(PyExc_ImportError,
                     "this module needs feature level %d of tapegrad's C interface, and the installed tapegrad "
                     "provides level %u: install a newer tapegrad",
                     TAPEGRAD_FEATURES, (unsigned)table->features);
        return -1;
    }}
    tapegrad_the_table = table;
    return 0;
}}

#endif

#ifdef Py_PYTHON_H

/* Between the two, in one block, other threads of Python run, and this one may call all functions of tapecore.h but
 * those that say that they need the GIL. */
#define TAPEGRAD_BEGIN_ALLOW_THREADS(context)             \\
    {{                                                     \\
        tapegrad_context *tapegrad_shared_ = (context);   \\
        tapegrad_share(tapegrad_shared_);                 \\
        PyThreadState *tapegrad_state_ = PyEval_SaveThread();
#define TAPEGRAD_END_ALLOW_THREADS            \\
        PyEval_RestoreThread(tapegrad_state_); \\
        tapegrad_unshare(tapegrad_shared_);   \\
    }}

#endif
#endif
#endif
"""


def table_text(functions: list[Function]) -> str:
    """Return tapecore_table.h."""
    members = [wrapped("    " + joined(f.result, f"(*{f.short})({f.parameters});")) for f in functions]
    names = [f"#define {f.name} (tapegrad_the_table->{f.short})" for f in functions]
    return TABLE_TEXT.format(members="\n".join(members), names="\n".join(names))


def source_text(functions: list[Function]) -> str:
    """Return the C file with the table itself."""
    entries = [f"    .{f.short} = {f.name}," for f in functions if f.short not in OF_THE_HOST]
    return "\n".join(
        [
            "/* Made by interface.py. */",
            '#include "api.h"',
            "",
            "const tapegrad_table tg_api_table = {",
            "    .abi = TAPEGRAD_ABI,",
            "    .features = TAPEGRAD_FEATURES,",
            "    .bytes = sizeof(tapegrad_table),",
            *entries,
            "};",
            "",
        ]
    )


# --- Cython -----------------------------------------------------------------------------------------------------------


def cython_type(text: str) -> str:
    """Return a declaration as Cython writes it."""
    text = re.sub(r"struct _object \*\s*", "object ", text)
    return re.sub(r"(\(\*\w+\)\([^()]*\))", r"\1 noexcept nogil", text)


def structures_of(header: str) -> list[str]:
    """Return the header's enumerations and structures, declared for Cython."""
    text = without_comments(header.partition("/* --- the functions")[0])
    lines = []
    for name in re.findall(r"typedef struct (\w+) \1;", text):
        lines += [f"ctypedef struct {name}:", "    pass"]
    for kind, names, title in re.findall(r"(?:typedef )?(enum) \w*\s?\{ ([^}]*) \} ?(\w*);", text):
        members = [part.partition("=")[0].strip() for part in names.split(",") if part.strip()]
        lines.append(f"ctypedef {kind} {title}:" if title else f"{kind}:")
        lines += [f"    {member}" for member in members]
    for body, title in re.findall(r"typedef struct \w+ \{ ([^}]*) \} (\w+);", text):
        lines.append(f"ctypedef struct {title}:")
        lines += [f"    {cython_type(field.strip())}" for field in body.split(";") if field.strip()]
    return lines


def cython_function(function: Function) -> str:
    """Return a function's declaration for Cython."""
    result, parameters = cython_type(function.result + " ").strip(), cython_type(function.parameters)
    parameters = "" if parameters == "void" else parameters
    text = joined(result, f"{function.name}({parameters})")
    takes_object = "_object" in function.parameters
    return text + " except NULL" if takes_object and result.endswith("*") else text


PXD_TEXT = """\
# The C interface for Cython: `cimport tapegrad`. Made from tapecore.h, where everything is explained, by interface.py.
# Put `tapegrad.get_include()` on the compiler's path, and call `tapegrad.import_tapegrad()` once.
from libc.stdint cimport intptr_t, uint64_t

cdef extern from "tapegrad/tapecore.h" nogil:
    enum: TAPEGRAD_ABI, TAPEGRAD_FEATURES, TAPEGRAD_MAX_DIMS
{structures}
    tapegrad_number tapegrad_constant_number(double value)
{functions}

cdef extern from "tapegrad/tapecore.h":
    int import_tapegrad() except -1
{python}
"""


def cython_text(header: str, functions: list[Function]) -> str:
    """Return __init__.pxd."""
    plain = [f for f in functions if "_object" not in f.result + f.parameters]
    python = [f for f in functions if "_object" in f.result + f.parameters]

    def block(lines: list[str]) -> str:
        return "\n".join(wrapped("    " + line) for line in lines)

    return PXD_TEXT.format(
        structures=block(structures_of(header)),
        functions=block([cython_function(f) for f in plain]),
        python=block([cython_function(f) for f in python]),
    )


def products() -> dict[Path, str]:
    """Return the files in the repository that are made from the header, and what is to be in them."""
    header = HEADER.read_text(encoding="utf-8")
    functions = functions_of(header)
    return {TABLE: table_text(functions), DECLARATIONS: cython_text(header, functions)}


def main() -> None:
    """Write the files."""
    if len(sys.argv) > 1:
        functions = functions_of(HEADER.read_text(encoding="utf-8"))
        Path(sys.argv[1]).write_text(source_text(functions), encoding="utf-8")
        return
    for path, text in products().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
