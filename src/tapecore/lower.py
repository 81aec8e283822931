"""How one rule of the table becomes C: the kernels over blocks, and the same arithmetic on single numbers.

A rule's graph is cut at the calls of loops (NumPy's, or the C library's): what a call needs is computed by
one fused C loop into scratch blocks, the call writes a block, and the last fused loop multiplies the
partial with the cotangent. Values that several stages need are computed again rather than kept: arithmetic
is cheaper than memory.
"""

from __future__ import annotations

import re
import struct
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from math import isinf

from expression import INLINE, VALUES, Node, literal


@dataclass(frozen=True)
class FloatType:
    """A C floating point type, the ending of our functions for it, that of the C library's, and its index."""

    c: str
    suffix: str
    libm: str
    index: str

    def literal(self, node: Node) -> str:
        """The number rounded to this type, as NumPy rounds a Python scalar before it uses it."""
        value = float(node.name)
        if isinf(value):
            return f"({'-' if value < 0 else ''}({self.c})INFINITY)"
        if self.c == "float":
            value = struct.unpack("f", struct.pack("f", value))[0]
        text = repr(value) + ("f" if self.c == "float" else "")
        return f"({text})" if value < 0 else text


FLOAT32 = FloatType("float", "f32", "f", "TG_NATIVE_F32")
FLOAT64 = FloatType("double", "f64", "", "TG_NATIVE_F64")


@dataclass(frozen=True)
class Kernel:
    """A generated C function; kernels with equal bodies do the same. `blocks` is the scratch it uses."""

    name: str
    body: str
    text: str
    blocks: int


class Emitter:
    """Writes the C expressions of a graph whose `names` are at hand; what is used twice gets a constant."""

    def __init__(self, kind: FloatType, names: dict[Node, str], roots: Iterable[Node]) -> None:
        self.lines: list[str] = []
        self._kind = kind
        self._names = dict(names)
        self._uses: Counter[Node] = Counter()
        roots = list(roots)
        for root in roots:
            self._count(root)
        for root in roots:
            for node in root.topological():
                if node in self._uses and node not in self._names and self._is_named(node):
                    name = f"t{len(self.lines)}"
                    c = "int" if node.boolean else kind.c
                    self.lines.append(f"const {c} {name} = {self.expression(node)};")
                    self._names[node] = name

    def _count(self, node: Node) -> None:
        self._uses[node] += 1
        if self._uses[node] == 1 and node not in self._names:
            for arg in node.args:
                self._count(arg)
                if node.name == "square":
                    self._count(arg)

    def _is_named(self, node: Node) -> bool:
        return node.is_call or (self._uses[node] > 1 and not node.is_literal)

    def value(self, node: Node) -> str:
        """The C expression of a node as a number: 1 or 0 for a comparison."""
        text = self.expression(node)
        return f"({text} ? {self._one} : {self._kind.literal(literal(0.0))})" if node.boolean else text

    @property
    def _one(self) -> str:
        return self._kind.literal(literal(1.0))

    def expression(self, node: Node) -> str:
        """The C expression of a node: a truth value for a comparison."""
        if node in self._names:
            return self._names[node]
        match node.kind:
            case "literal":
                return self._kind.literal(node)
            case "negate":
                return f"(-{self.value(node.args[0])})"
            case "arithmetic" if node.boolean:
                return f"({self.expression(node.args[0])} & {self.expression(node.args[1])})"
            case "arithmetic" | "compare":
                return f"({self.value(node.args[0])} {node.name} {self.value(node.args[1])})"
            case "where":
                condition, taken, otherwise = node.args
                return f"({self.expression(condition)} ? {self.value(taken)} : {self.value(otherwise)})"
            case "inline":
                texts = [self.value(arg) for arg in node.args]
                return INLINE[node.name].format(*texts, f=self._kind.libm, s=self._kind.suffix, one=self._one)
            case "libm":
                return f"{node.name}{self._kind.libm}({self.value(node.args[0])})"
            case "call":
                texts = [self.value(arg) for arg in node.args]
                function = f"number{len(texts)}_{self._kind.suffix}"
                return f"{function}({_loop(node, self._kind)}, {', '.join(texts)})"
        raise AssertionError(f"a {node.kind} node has no expression")


def _loop(node: Node, kind: FloatType) -> str:
    return f"&loops->elementwise[TG_OP_{node.name.upper()}][{kind.index}]"


class Lowering:
    """Lowers graphs to C functions for one floating point type."""

    def __init__(self, kind: FloatType) -> None:
        self._kind = kind

    def vjp(self, name: str, partial: Node) -> Kernel:
        """The kernel of one partial: adjoint = g * partial, or adjoint += it."""
        plan = _Plan(self._kind, partial)
        emitter = Emitter(self._kind, plan.names, [partial])
        product = self._product(partial, emitter, "g[i]")
        if product is None:
            last = [
                "if (!args->accumulate) {",
                f"    memset(adjoint, 0, (size_t)count * sizeof({self._kind.c}));",
                "}",
            ]
        else:
            loads = plan.loads([partial]) + emitter.lines
            last = ["if (args->accumulate) {"]
            last += _indent(_fused_loop([*loads, f"adjoint[i] += {product};"]))
            last += ["} else {", *_indent(_fused_loop([*loads, f"adjoint[i] = {product};"])), "}"]
        return self._function(name, "tg_kernel_args", "adjoint", plan, [*plan.lines, *last])

    def forward(self, name: str, root: Node) -> Kernel:
        """The kernel of an own operation's forward rule."""
        plan = _Plan(self._kind, root, target="out")
        lines = list(plan.lines)
        if not root.is_call:
            emitter = Emitter(self._kind, plan.names, [root])
            lines += _fused_loop([*plan.loads([root]), *emitter.lines, f"out[i] = {emitter.value(root)};"])
        return self._function(f"forward_{name}", f"forward_args_{self._kind.suffix}", "out", plan, lines)

    def own_loop(self, name: str, operands: int, forward: str) -> Kernel:
        """The loop of an own operation, in the form of NumPy's, around its forward kernel."""
        full_name = f"own_{name}_{self._kind.suffix}"
        body = f"own_loop_{self._kind.suffix}(args, dims, steps, data, {operands}, {forward});"
        parameters = "char **args, const tg_index *dims, const tg_index *steps, void *data"
        return Kernel(full_name, body, f"static void {full_name}({parameters}) {{\n    {body}\n}}\n", 0)

    def scalar_case(self, name: str, partials: list[Node | None]) -> tuple[str, str]:
        """The case of an operation in tg_scalar_vjp, and the function that it calls, or nothing.

        Partials that call functions have a function of their own: what they must save on the stack would
        burden the other cases, which are a few instructions each.
        """
        lines = self._contributions(partials)
        functions = {"call", "libm", "inline"}
        calls = any(
            node.kind in functions for partial in partials if partial for node in partial.topological()
        )
        function = ""
        if calls:
            c, full_name = self._kind.c, f"number_{name}_{self._kind.suffix}"
            values = f"{c} g, const {c} *in, {c} out, {c} *contribution"
            head = f"TG_APART static void {full_name}(const tg_loops *loops, unsigned wanted, {values}) {{"
            unused = [word for word in ("loops", "out") if not re.search(rf"\b{word}\b", "\n".join(lines))]
            body = _indent([*(f"(void){word};" for word in unused), *lines])
            function = "\n".join([head, *body, "}\n"])
            lines = [f"{full_name}(loops, wanted, g, in, out, contribution);"]
        case = [f"    case TG_OP_{name.upper()}:", *_indent([*lines, "break;"], 2)]
        return "".join(f"{line}\n" for line in case), function

    def _contributions(self, partials: list[Node | None]) -> list[str]:
        """What tg_scalar_vjp does for each wanted operand."""
        names = {Node("value", name): f"in[{bit}]" for bit, name in enumerate(VALUES[:-1])}
        names[Node("value", "out")] = "out"
        lines = []
        for index, partial in enumerate(partials):
            if partial is None:
                continue
            emitter = Emitter(self._kind, names, [partial])
            product = self._product(partial, emitter, "g") or self._kind.literal(literal(0.0))
            lines += [f"if (wanted & {1 << index}u) {{"]
            lines += _indent([*emitter.lines, f"contribution[{index}] = {product};"])
            lines += ["}"]
        return lines

    def _product(self, partial: Node, emitter: Emitter, g: str) -> str | None:
        """The product of cotangent and partial, which is zero where g is; None for a partial of zero."""
        if not partial.is_literal:
            return f"times_{self._kind.suffix}({g}, {emitter.value(partial)})"
        value = float(partial.name)
        if value in (1.0, -1.0):
            return g if value > 0 else f"-{g}"
        return f"{g} * {emitter.value(partial)}" if value else None

    def _function(self, name: str, args: str, result: str, plan: _Plan, lines: list[str]) -> Kernel:
        """A C function that declares the pointers which its lines mention."""
        c, used = self._kind.c, "\n".join(lines)
        candidates = [("loops", "const tg_loops *const loops = args->loops;")]
        candidates += [("count", "const tg_index count = args->count;")]
        if result == "adjoint":
            candidates += [("g", f"const {c} *const g = args->g;")]
        candidates += [
            (value, f"const {c} *const {value} = args->operand[{bit}];")
            for bit, value in enumerate(VALUES[:-1])
        ]
        candidates += [("out", f"{'const ' if result == 'adjoint' else ''}{c} *const out = args->out;")]
        if result == "adjoint":
            candidates += [("adjoint", f"{c} *const adjoint = args->adjoint;")]
        candidates += [
            (f"b{block}", f"{c} *const b{block} = ({c} *)args->scratch + {block} * TG_BLOCK;")
            for block in range(plan.blocks)
        ]
        declarations = [declaration for word, declaration in candidates if re.search(rf"\b{word}\b", used)]
        body = "\n".join(_indent([*declarations, *lines]))
        full_name = f"{name}_{self._kind.suffix}"
        text = f"TG_MULTIVERSION static void {full_name}(const {args} *args) {{\n{body}\n}}\n"
        return Kernel(full_name, body, text, plan.blocks)


class _Plan:
    """The order of a rule's loops: `lines` runs everything that its last fused loop reads.

    `target` is where the result goes if the root itself is a call; `names` gives each stored value's element.
    """

    def __init__(self, kind: FloatType, root: Node, target: str | None = None) -> None:
        self.lines: list[str] = []
        self.blocks = 0
        self._kind = kind
        self._free: list[str] = []
        self._pointers = {Node("value", name): name for name in VALUES}
        calls = [node for node in root.topological() if node.is_call]
        for stage in range(1, root.stage + 1):
            self._run_stage([call for call in calls if call.stage == stage], root, target)

    @property
    def names(self) -> dict[Node, str]:
        return {node: f"{pointer}_i" for node, pointer in self._pointers.items()}

    def loads(self, roots: Iterable[Node]) -> list[str]:
        """The declarations of the stored values' elements that the roots' graphs read."""
        read: dict[Node, None] = {}

        def visit(node: Node) -> None:
            if node in self._pointers:
                read[node] = None
            else:
                for arg in node.args:
                    visit(arg)

        for root in roots:
            visit(root)
        pointers = [self._pointers[node] for node in read]
        return [f"const {self._kind.c} {pointer}_i = {pointer}[i];" for pointer in pointers]

    def _run_stage(self, calls: list[Node], root: Node, target: str | None) -> None:
        """Store the arguments of the calls, then make the calls, in place where an argument ends there."""
        args = dict.fromkeys(arg for call in calls for arg in call.args)
        stored = [arg for arg in args if not arg.is_literal and arg not in self._pointers]
        blocks = {arg: self._take_block() for arg in stored}
        if stored:
            emitter = Emitter(self._kind, self.names, stored)
            stores = [f"{block}[i] = {emitter.value(arg)};" for arg, block in blocks.items()]
            self.lines += _fused_loop([*self.loads(stored), *emitter.lines, *stores])
        for position, call in enumerate(calls):
            later = {arg for other in calls[position + 1 :] for arg in other.args}
            ending = [arg for arg in blocks if arg in call.args and arg not in later]
            texts = [self._argument(arg, blocks) for arg in call.args]
            if call == root and target:
                result = target
            else:
                result = blocks.pop(ending[0]) if ending else self._take_block()
            self.lines.append(self._call(call, texts, result))
            self._pointers[call] = result
        self._free += blocks.values()

    def _take_block(self) -> str:
        if self._free:
            return self._free.pop()
        self.blocks += 1
        return f"b{self.blocks - 1}"

    def _argument(self, arg: Node, blocks: dict[Node, str]) -> str:
        """Pointer and step of a call's argument; a literal is one number that the loop does not step over."""
        if arg.is_literal:
            return f"&(const {self._kind.c}){{{self._kind.literal(arg)}}}, 0"
        return f"{blocks.get(arg) or self._pointers[arg]}, (tg_index)sizeof({self._kind.c})"

    def _call(self, call: Node, texts: list[str], result: str) -> str:
        suffix = self._kind.suffix
        if call.kind == "libm":
            return f"libm_{call.name}_{suffix}(count, {texts[0].rpartition(',')[0]}, {result});"
        return f"block{len(texts)}_{suffix}({_loop(call, self._kind)}, count, {', '.join(texts)}, {result});"


def _fused_loop(lines: list[str]) -> list[str]:
    return ["TG_INDEPENDENT", "for (tg_index i = 0; i < count; i++) {", *_indent(lines), "}"]


def _indent(lines: Iterable[str], levels: int = 1) -> list[str]:
    return ["    " * levels + line for line in lines]
