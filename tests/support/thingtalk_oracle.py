"""The ThingTalk reference behind two functions: what it says of programs, and the cases of its own tests.

The folder is $DLC_ORACLE, with `oracle.mjs` and an installed `node_modules`; a folder without them is installed in a
scratch copy.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Evaluates one array of a test file of the reference, which needs nothing of its file but the Ast module.
_CASES = """
const fs = require('fs'); const TT = require('thingtalk'); const Ast = TT.Ast;
const text = fs.readFileSync(process.argv[1], 'utf8');
const start = text.indexOf('const ' + process.argv[2] + ' = [') + ('const ' + process.argv[2] + ' = ').length;
const end = text.indexOf('\\n];', start) + 2;
const cases = new Function('Ast', 'return ' + text.slice(start, end))(Ast);
process.stdout.write(JSON.stringify(cases));
"""

# The value cases of the reference's test_ast.js as programs: made from its JavaScript values, and constants or not.
_VALUES = """
const fs = require('fs'); const { Ast, Type, Builtin } = require('thingtalk');
const text = fs.readFileSync(process.argv[1], 'utf8');
function cases(name) {
    const start = text.indexOf('const ' + name + ' = [') + ('const ' + name + ' = ').length;
    const source = text.slice(start, text.indexOf('\\n];', start) + 2);
    return new Function('Ast', 'Type', 'Builtin', 'return ' + source)(Ast, Type, Builtin);
}
function written(value) {
    const device = new Ast.DeviceSelector(null, 'com.foo', null, null);
    const call = new Ast.Invocation(null, device, 'bar', [new Ast.InputParam(null, 'p', value)], null);
    const chain = new Ast.ChainExpression(null, [new Ast.InvocationExpression(null, call, null)], null);
    return new Ast.Program(null, [], [], [new Ast.ExpressionStatement(null, chain)]).prettyprint();
}
process.stdout.write(JSON.stringify({
    values: cases('VALUE_TESTS').map(([type, js]) => written(Ast.Value.fromJS(type, js))),
    constants: cases('IS_CONSTANT_TESTS').map(([value, constant]) => [written(value), constant]),
}));
"""

# Type-checks programs as they are written: `Syntax.parse` normalizes first, and what that removes is never checked.
_AS_WRITTEN = """
const path = require('path'); const at = require.resolve('thingtalk');
const Parser = require(path.join(path.dirname(at), 'new-syntax/parser')).default;
const { surfaceLexer } = require(path.join(path.dirname(at), 'new-syntax/lexer'));
(async () => {
  const { makeSchemas, PARSE_OPTS } = await import(path.resolve('oracle.mjs'));
  const schemas = makeSchemas(process.argv[1]);
  for (const code of JSON.parse(require('fs').readFileSync(0, 'utf8'))) {
    let error = null;
    try { await new Parser(PARSE_OPTS).parse(surfaceLexer(code)).typecheck(schemas, false); }
    catch (e) { error = `${e.name}: ${e.message}`; }
    process.stdout.write(JSON.stringify(error) + '\\n');
  }
})();
"""


@dataclass(frozen=True)
class Oracle:
    """An installed reference."""

    folder: Path

    @property
    def tests(self) -> Path:
        """The reference's own tests."""
        return self.folder / "node_modules" / "thingtalk" / "test"

    def judge(self, programs: Iterable[tuple[str, str]], classes: Path) -> list[dict[str, Any]]:
        """Verdicts on (code, syntax) pairs against a class file, in order."""
        lines = [json.dumps({"id": i, "code": c, "syntax": s}) + "\n" for i, (c, s) in enumerate(programs)]
        done = self._node(["oracle.mjs", str(classes)], "".join(lines))
        answers = [json.loads(line) for line in done.split("\n") if line]
        assert [a["id"] for a in answers] == list(range(len(lines)))
        return answers

    def faults(self, programs: Iterable[str], classes: Path) -> list[str | None]:
        """What its checker says of programs as they are written, before its normalizer takes anything away."""
        done = self._node(["-e", _AS_WRITTEN, str(classes)], json.dumps(list(programs)))
        return [json.loads(line) for line in done.splitlines()]

    def cases(self, file: str, name: str) -> list[Any]:
        """The array of that name in a test file."""
        found: list[Any] = json.loads(self._node(["-e", _CASES, str(self.tests / file), name], ""))
        return found

    def values(self) -> dict[str, list[Any]]:
        """Its value cases (`values`: programs with the value as an argument), and those of what is a constant
        (`constants`: such programs and whether the value is one)."""
        found: dict[str, list[Any]] = json.loads(self._node(["-e", _VALUES, str(self.tests / "test_ast.js")], ""))
        return found

    def _node(self, arguments: list[str], fed: str) -> str:
        done = subprocess.run(
            ["node", *arguments],
            cwd=self.folder,
            input=fed,
            capture_output=True,
            text=True,
            timeout=300,
            env={**os.environ, "TZ": "UTC"},
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout


def install(folder: Path, scratch: Path) -> Oracle:
    """The reference in a folder, installed in a scratch copy if it is not installed there."""
    if (folder / "node_modules" / "thingtalk").is_dir():
        return Oracle(folder)
    copy = scratch / "thingtalk"
    shutil.copytree(folder, copy)
    copy.chmod(0o755)
    subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund"], cwd=copy, check=True, capture_output=True, timeout=300
    )
    return Oracle(copy)
