"""Hostile input for the reader of derivations: ``python -m benchmarks.fuzz_parser``.

Ten thousand texts: known ways to make ``sympify`` run code, towers of powers, deep nesting, long
texts, characters that look like others, and random mixtures of the reader's own vocabulary. An
audit hook records what Python itself does meanwhile: compiling, importing, opening files, starting
processes. Reported: whether anything was executed, and the slowest texts.
"""

from __future__ import annotations

import collections
import gc
import random
import sys
import time
from dataclasses import dataclass

from convex_analyzer.errors import InputError
from convex_analyzer.parsing.derivation_text import parse_derivation
from convex_analyzer.parsing.expressions import read_expression
from convex_analyzer.parsing.symbols import Symbols

SYMBOLS = Symbols.of(
    {
        "alpha, lambda, kappa, a, l": "positive", "mu": "unit interval", "k, n": "natural",
        "x, y, f, theta_{k+1}": "real", "A": "spd", "Q": "orthogonal matrix",
        "theta, g": "vector", "phi": "function", "r": "sequence", "rho*": "real",
    }
)  # fmt: skip

#: Texts that run code, hang or exhaust memory where text is evaluated.
ESCAPES: tuple[str, ...] = (
    "__import__('os').system('true')",
    "__import__('os').popen('id').read()",
    "().__class__.__base__.__subclasses__()",
    "x.__class__.__mro__[-1].__subclasses__()",
    "''.__class__.__mro__[1].__subclasses__()[40]('/etc/passwd').read()",
    "[c for c in ().__class__.__base__.__subclasses__()]",
    "(lambda: __import__('os').getcwd())()",
    "eval('1+1')", "exec('import os')", "open('/etc/passwd').read()", "compile('1','','eval')",
    "getattr(x, '__class__')", "globals()", "locals()", "vars()", "dir()", "breakpoint()",
    "input()", "print(1)", "exit()", "quit()", "help()", "type('X', (), {})", "memoryview(b'')",
    "lambda x: x", "lambda: (yield)", "f'{x}'", "f'{__import__(\"os\")}'", "rb'x'", "b'x'",
    "x if x else y", "[x for x in range(10**9)]", "{x: y}", "{x for x in y}", "x := 3",
    "(x := __import__('os'))", "await x", "async def f(): pass", "yield x", "import os",
    "from os import system", "def f(): pass", "class X: pass", "del x", "global x", "assert x",
    "raise x", "return x", "with x: pass", "for x in y: pass", "while 1: pass", "try: pass",
    "x; import os", "x\nimport os", "x\\\nimport os", "#!/bin/sh", "`id`", "$(id)", "${x}", "%s%n",
    "sympify('x')", "S('x')", "Symbol('x')", "Function('os')('x')", "lambdify(x, 'os')",
    "parse_expr('x')", "E.__class__", "Integer(1).__class__", "Float('1e99999999')",
    "preview(x)", "init_printing()", "test()", "sys.exit()", "os.system('id')", "np.fromfile('x')",
    "x.subs(x, 1)", "x.doit()", "x.evalf(10**9)", "A.inv()", "A.__reduce__()", "x.func", "x.args",
    "x._eval_expand()", "object.__getattribute__", "T.__class__", "x.T.T.T.__init__",
    "9**9**9**9", "9^9^9^9", "2**(2**(2**(2**(2**9))))", "x**9**9**9", "x**(10**10)", "10**100000",
    "(((x**1000)**1000)**1000)", "(x**999)*(x**999)", "0**-1", "0^(-1)", "1/0", "1/(1-1)",
    "2**(1/0)", "exp(exp(exp(exp(9))))", "e^e^e^e^e", "factorial(10**9)", "1000000!",
    "Sum(k, (k, 0, 10**30))", "Sum(Sum(Sum(x, (i, 0, j)), (j, 0, k)), (k, 0, 9))",
    "Product(9**i, (i, 1, 9**9))", "binomial(10**9, 10**8)", "gamma(10**9)", "prime(10**9)",
    "9" * 3000, "0." + "9" * 3000, "1e999999999", "1e-999999999", "0x" + "f" * 500, "1_000_000",
    "(" * 3000 + "x" + ")" * 3000, "(" * 60 + "x" + ")" * 60, "[" * 2000, "{" * 2000,
    "-" * 3000 + "x", "+" * 3000 + "x", "not " * 900 + "x", "~" * 3000, "|" * 3000, "||" * 1500,
    "sqrt(" * 500 + "x" + ")" * 500, "x" * 3900, "x+" * 1900 + "x", "x*" * 1900 + "x",
    "x^" * 1900 + "x", "x/" * 1900 + "x", "x<" * 1900 + "x", "x," * 1900, "2x" * 1900, "α" * 3900,
    "x" + "'" * 3900, "x" + "_1" * 1900, "x" + "²" * 3900, "x" + "̂" * 3900, "_" * 3900,
    "αa" * 1900, "x" + ".T" * 1900, "A" + "ᵀ" * 1900, "A" + "^-1" * 1200, "λ" + "a" * 3900,
    "x = " * 900 + "x", "x => " * 700 + "x", "And(" * 700 + "x<1" + ")" * 700,
    "Matrix([[" + "x," * 1900, "Matrix(" + "[" * 1900, "Sum(" * 900, "|x" * 1900, "a" * 10**6,
    "x + " * 10**6, "(" * 10**6, "\x00", "x\x00y", "x\x1b[31m", "x\u200by", "\u202ex", "\u2066x",
    "x\ufeff", "\ud800", "аlpha", "х + у", "ⅹ", "ｘ + 1", "ℯ", "𝐱 + 1", "x\u0301\u0301\u0301",
    "Ω" * 1000, "ﬁ", "İ", "ſ", "x\u2028y", "x\u00ad", "🙂", "x" + "\u0302" * 50, "ᴬ", "１＋１",
    r"\input{/etc/passwd}", r"\write18{id}", r"\immediate\write18{id}", r"\def\x{\x\x}\x",
    r"\let\x=\y", r"\csname x\endcsname", r"\catcode`\%=12", r"\newcommand{\x}{\x}", r"\loop",
    r"\openout\x=y", r"\read\x to \y", r"\include{x}", r"\usepackage{x}", r"\expandafter\x",
    r"\frac" * 900, r"\frac{" * 900, r"\sqrt{" * 900 + "x" + "}" * 900, r"\left(" * 900,
    r"\begin{pmatrix}" * 250, r"\begin{align}" * 250, r"\\" * 1900, r"x \\ " * 900, r"\sum" * 900,
    r"\sum_{i=0}^{" * 300, "x^{" * 1200 + "x" + "}" * 1200, "x_{" * 1200, "x^{x_{" * 500,
    r"\hat{" * 700, r"\text{" * 700, r"\mathrm{" * 500 + "x" + "}" * 500, r"\alpha" * 600,
    r"9^{9^{9^{9}}}", r"\log" * 900 + " x", r"\|" * 1800, r"\left|" * 600, r"\bar" * 900 + "x",
    r"x'" * 1900, r"\sqrt[" * 700, r"\underbrace{" * 300, r"\boxed{" * 500, "&" * 3900, "%" * 3900,
    r"\x" * 1900, "\\" * 3999, "{}" * 1900, "$" * 3900, r"\frac12" * 500, r"\frac{d}{dx}" * 300,
)  # fmt: skip

_WORDS = (
    "x", "y", "a", "l", "k", "n", "A", "Q", "theta", "g", "alpha", "lambda", "mu", "phi", "r", "f",
    "α", "λ", "θ", "μ", "1", "2", "0", "10", "0.5", "½", "99999", "1e300", "+", "-", "*", "/", "^",
    "**", "(", ")", "(", ")", "[", "]", "{", "}", "|", "||", ",", "=", "<", "<=", "=>", "<=>", ".T",
    "²", "ᵏ", "ᵀ", "sqrt(", "exp(", "log(", "Sum(", "det(", "inv(", "And(", "Matrix([[", "]])", " ",
    "  ", " and ", " or ", " in ", "_", "_1", "_{k}", "'", "!", ".", "#", "--", "let ", "where ",
    "\n", "__", "lambda:", "import ", "if ", "for ", "\\", "√", "≤", "≈", "∞", "а", "\u200b",
)  # fmt: skip
_MACROS = (
    r"\frac", r"\sqrt", r"\alpha", r"\lambda", r"\theta", r"\left(", r"\right)", r"\left|",
    r"\right|", r"\|", r"\sum_{i=0}^{k}", r"\prod_{i=1}^k", r"\log", r"\sin", r"\max", r"\cdot",
    r"\,", r"\quad", r"\text{since}", r"\text{and}", r"\begin{pmatrix}", r"\end{pmatrix}", r"\\",
    "&", r"\begin{align}", r"\end{align}", r"\top", r"^\top", r"^{-1}", r"_{k+1}", r"^{2}", "^",
    "_", "{", "}", r"\hat{x}", r"\mathrm{T}", r"\in", r"\le", r"\Rightarrow", r"\iff", "%", "$",
    r"\[", r"\]", r"\label{x}", r"\infty", r"\nabla", r"\operatorname{sign}", r"\frac{d}{dx}",
)  # fmt: skip
_HARMLESS = {"object.__getattr__", "gc.collect"}


@dataclass(frozen=True)
class Outcome:
    """What happened to one text."""

    text: str
    seconds: float
    end: str
    events: tuple[str, ...]


def texts(count: int, seed: int = 0) -> list[str]:
    """Return the escapes, then random mixtures and damaged formulas."""
    rng = random.Random(seed)
    found = [*ESCAPES, *(f"x + {text}" for text in ESCAPES if len(text) < 200)]
    good = ("(1 - a*l)**k*(x + y)", r"\frac{1}{1-\alpha\lambda}(x-y)^2", "theta.T*A*theta/2 + x",
            r"\begin{align} x &= y \\ &\le a \end{align}", "0 < a*l < 2 => a < 2/l")  # fmt: skip
    while len(found) < count:
        kind = rng.randrange(4)
        if kind == 0:
            words = rng.choices(_WORDS, k=rng.randint(1, 40))
        elif kind == 1:
            words = rng.choices((*_WORDS, *_MACROS * 2), k=rng.randint(1, 60))
        elif kind == 2:
            words = [
                chr(rng.choice((rng.randrange(128), rng.randrange(0x3000)))) for _ in range(40)
            ]
        else:
            words = list(rng.choice(good))
            for _ in range(rng.randint(1, 6)):
                words[rng.randrange(len(words))] = rng.choice((*_WORDS, *_MACROS))
        found.append("".join(words) * rng.choice((1, 1, 1, 1, 3, 30)))
    return found[:count]


class Watch:
    """Records what Python does while it is on."""

    def __init__(self) -> None:
        self.on = False
        self.events: list[str] = []
        sys.addaudithook(self.hook)

    def hook(self, event: str, arguments: tuple[object, ...]) -> None:
        """Note compiling, importing, opening, starting."""
        del arguments
        if self.on and event not in _HARMLESS:
            self.events.append(event)


def try_one(text: str, watch: Watch) -> Outcome:
    """Read a text as one formula and as a derivation; say how long the slower one took."""
    slowest, ends = 0.0, []
    watch.events.clear()
    for read in (read_expression, parse_derivation):
        watch.on = True
        start = time.process_time()
        try:
            read(text, SYMBOLS)
            ends.append("read")
        except InputError:
            ends.append("refused")
        except Exception as error:  # noqa: BLE001  # any other class is what is looked for
            ends.append(type(error).__name__)
        slowest = max(slowest, time.process_time() - start)
        watch.on = False
    return Outcome(text, slowest, "/".join(ends), tuple(watch.events))


def run(count: int = 10_000, seed: int = 0) -> list[Outcome]:
    """Read that many texts."""
    watch = Watch()
    for text in ("x + 1", r"\frac{x}{2} < 1", "theta.T*A*theta", "Sum(k, (k, 0, 3)) and x < 1"):
        try_one(text, watch)  # modules that SymPy loads at first use
    gc.collect()
    gc.freeze()  # the collector's own passes over SymPy are not the reader's time
    return [try_one(text, watch) for text in texts(count, seed)]


def main() -> None:
    """Print what happened."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    outcomes = run(count)
    executed = collections.Counter(e for outcome in outcomes for e in outcome.events)
    ends = collections.Counter(outcome.end for outcome in outcomes)
    print(f"{len(outcomes)} texts: {dict(ends)}")
    print(f"executed, imported, opened: {dict(executed) or 'nothing'}")
    for outcome in [o for o in outcomes if set(o.end.split("/")) - {"read", "refused"}][:10]:
        print(f"  {outcome.end}: {outcome.text[:100]!r}")
    slowest = sorted(outcomes, key=lambda o: -o.seconds)
    over = sum(o.seconds > 0.05 for o in outcomes)
    print(f"over 50 ms: {over}; median {1e3 * slowest[len(slowest) // 2].seconds:.2f} ms; slowest:")
    for outcome in slowest[:10]:
        print(f"  {1e3 * outcome.seconds:6.1f} ms  {outcome.end}  {outcome.text[:80]!r}")
    sys.exit(bool(executed or over))


if __name__ == "__main__":
    main()
