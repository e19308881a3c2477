"""What the code itself must not do: put text into SQL, unpickle, evaluate, or ask a shell."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
STORE = sorted((ROOT / "bot" / "store").glob("*.py"))

# What runs a statement, and which of its arguments that is.
RUNNERS = {
    **dict.fromkeys(("execute", "executemany", "executescript", "execute_fetchall"), 0),
    **dict.fromkeys(("_write", "_change", "_read", "_read_all", "_read_job", "_read_jobs"), 0),
    # Puts the middle of an UPDATE together.
    "_set": 1,
}
# Those that put statements together, of what no person has written.
BUILDERS = {
    # Whether jobs or groups are meant, and which of their columns.
    ("messages.py", "_set"),
    # Which side of a picture, and whether words were searched.
    ("finding.py", "_statement"),
    # A table and a column of the schema, as SQLite itself has named them.
    ("copying.py", "_is_false_alarm"),
}
# Runs the migrations, which are files of the project.
MIGRATES = ROOT / "bot" / "folder.py"


def is_constant(node: ast.expr, constants: set[str]) -> bool:
    """Whether a text is all written in the code: nothing in it comes from outside."""
    match node:
        case ast.Constant(value=str()):
            return True
        case ast.Name(id=name):
            return name in constants
        case ast.JoinedStr(values=parts):
            return all(is_constant(part, constants) for part in parts)
        case ast.FormattedValue(value=value):
            return is_constant(value, constants)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return is_constant(left, constants) and is_constant(right, constants)
        case ast.IfExp(body=body, orelse=other):
            return is_constant(body, constants) and is_constant(other, constants)
        case _:
            return False


def constants_of(tree: ast.Module) -> set[str]:
    """The names at a module's top that stand for constant texts, those it imports included."""
    found: set[str] = set()
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if is_constant(value, found):
                found.add(name)
            case ast.ImportFrom(module=str(module), names=names) if module.startswith("bot.store"):
                path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
                if path.exists():
                    theirs = constants_of(ast.parse(path.read_text()))
                    found |= {alias.name for alias in names} & theirs
    return found


def unsafe_statements(source: str, file: str) -> Iterator[str]:
    """Where a statement is run that is not constant, or put together where it may be."""
    tree = ast.parse(source)
    constants = constants_of(tree)
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        # What only hands a statement on is a runner itself.
        given = {"statement"} if function.name in RUNNERS else set()
        if (file, function.name) in BUILDERS:
            continue
        for call in ast.walk(function):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
                continue
            place = RUNNERS.get(call.func.attr)
            if place is None or len(call.args) <= place:
                continue
            statement = call.args[place]
            built = (
                isinstance(statement, ast.Call)
                and isinstance(statement.func, ast.Name)
                and (file, statement.func.id) in BUILDERS
            )
            if not built and not is_constant(statement, constants | given):
                yield f"{file}:{call.lineno} {function.name}: {ast.unparse(statement)}"


def called(tree: ast.Module) -> Iterator[tuple[int, str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func), node


@pytest.mark.parametrize("path", STORE, ids=lambda path: path.stem)
def test_statements_are_constants_and_values_are_parameters(path: Path) -> None:
    assert not list(unsafe_statements(path.read_text(), path.name))


@pytest.mark.parametrize(
    "statement",
    [
        'f"SELECT * FROM jobs WHERE id = {job_id}"',
        '"SELECT * FROM jobs WHERE id = " + job_id',
        '"SELECT * FROM jobs WHERE id = {}".format(job_id)',
        '"SELECT * FROM jobs WHERE id = %s" % job_id',
        'TEXT + f"{job_id}"',
        "job_id",
    ],
)
def test_a_statement_with_text_in_it_is_found(statement: str) -> None:
    head = 'TEXT = "SELECT 1"\nasync def look(self, job_id):\n'
    assert list(unsafe_statements(f"{head}    await self._read({statement})", "x.py"))
    assert not list(unsafe_statements(f"{head}    await self._read(TEXT, (job_id,))", "x.py"))


def test_sql_is_in_the_store_alone() -> None:
    for path in (ROOT / "bot").rglob("*.py"):
        if path in {*STORE, MIGRATES}:
            continue
        for line, name, _ in called(ast.parse(path.read_text())):
            assert name.rpartition(".")[2] not in {"executescript", "execute_fetchall"}, (
                path,
                line,
            )
            assert not name.endswith((".execute", ".executemany")), f"{path}:{line}"


@pytest.mark.parametrize("package", ["bot", "engine"])
def test_nothing_is_unpickled_evaluated_or_given_to_a_shell(package: str) -> None:
    for path in (ROOT / package).rglob("*.py"):
        for line, name, call in called(ast.parse(path.read_text())):
            where = f"{path.relative_to(ROOT)}:{line}"
            options = {option.arg: ast.unparse(option.value) for option in call.keywords}
            assert name not in {"eval", "exec", "compile", "__import__"}, where
            assert name not in {"pickle.load", "pickle.loads", "os.system", "os.popen"}, where
            assert name not in {"marshal.loads", "yaml.load", "torch.hub.load"}, where
            assert not name.endswith(("create_subprocess_shell", "getoutput")), where
            assert options.get("shell", "False") == "False", where
            if name == "torch.load":
                assert options.get("weights_only") == "True", where
