"""The threat table of SECURITY.md names tests, and there they are."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SECURITY = (ROOT / "SECURITY.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", SECURITY)))


@pytest.mark.parametrize(("file", "test"), NAMED, ids=lambda name: name.rpartition("/")[2])
def test_a_test_that_is_named_exists(file: str, test: str) -> None:
    tree = ast.parse((ROOT / file).read_text())
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    assert test in {node.name for node in tree.body if isinstance(node, functions)}


def test_every_row_of_the_threat_table_says_who_what_why_and_how_it_is_shown() -> None:
    table = SECURITY.split("## Who could try what")[1].split("\n## ")[0]
    rows = [line.strip("|").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    head, _, *rows = rows
    assert len(rows) > 20
    for row in rows:
        assert len(row) == len(head), row
        assert all(cell.strip() for cell in row[1:]), row
        assert re.fullmatch(r"(?:`tests/[\w/]+\.py::\w+` ?)+", row[-1].strip()), row


def test_the_other_files_that_it_names_are_there() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", SECURITY):
        assert (ROOT / target).exists(), target
