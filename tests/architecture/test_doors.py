"""Rules about doors that no linter of ours knows.

What bandit asks is asked by ruff (its rules S…), each exception with its reason.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.need import ROOT

SECRETS = re.compile(
    r"(?:^|_)(?:token|secret|password|nonce|salt|signature|digest)s?(?:_hash)?$|(?:token|key|code|password)_hash$"
)
# comparisons of what is public, or looked up by its hash in SQL: file → what
COMPARED = {
    "backoffice/local/accounts.py": {"password_hash", "token_hash"},  # two readings of one row; the browser's own row in a list
}
# sessions, codes and the one door: nothing else of a desk opens a transaction past the record of changes
PAST_THE_RECORD = {"app.py", "context.py", "home.py", "entering.py", "second.py", "breaks.py"}


def sources(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def named(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def in_sql(node: ast.expr) -> bool:
    """Tell whether a side of a comparison is a column: `Table.column`, `row.c.column`."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and (node.id[:1].isupper() or node.id == "row")


def compared_secrets(tree: ast.Module) -> Iterator[str]:
    """Yield the names of secrets that Python compares letter by letter, which tells by its time how far they agree."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq):
            sides = [node.left, *node.comparators]
            if not any(in_sql(side) or isinstance(side, ast.Constant) for side in sides):
                yield from (named(side) for side in sides if SECRETS.search(named(side)))


def test_secrets_are_compared_in_constant_time() -> None:
    found = {name: set(compared_secrets(tree)) - COMPARED.get(name, set()) for name, tree in sources("backoffice", "storefront")}
    assert {name: secrets for name, secrets in found.items() if secrets} == {}


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("a.token == typed", ["token"]),
        ("code_hash != other", ["code_hash"]),
        ("Table.token_hash == x", []),
        ("row.token_hash == x", []),
        ("token == ''", []),
        ("hmac.compare_digest(token, typed)", []),
        ("tokens_left == 3", []),
    ],
)
def test_such_a_comparison_is_recognised(line: str, found: list[str]) -> None:
    assert list(compared_secrets(ast.parse(line))) == found


def test_a_desk_writes_through_its_one_door() -> None:
    """Where every form leaves a row in the record of changes."""
    past = [
        Path(name).name
        for name, tree in sources("backoffice/desk")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"run", "write"} and named(node.value) in {"db", "database", "_db"}
    ]
    assert set(past) <= PAST_THE_RECORD


def test_what_leads_on_after_a_form_stays_on_this_site() -> None:
    """An address that a request names is gone to only past `local_path`."""
    open_redirects = []
    for name, tree in sources("backoffice/desk", "storefront"):
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call) and named(node.func) in {"redirect", "see"}):
            targets = [one for one in call.args if not (isinstance(one, ast.Call) and named(one.func) == "url_for")]
            if any(isinstance(inner, ast.Name) and inner.id == "request" for one in targets for inner in ast.walk(one)):
                open_redirects += [] if "local_path" in ast.dump(call) else [f"{name}:{call.lineno}"]
    assert open_redirects == []


def test_nothing_of_a_template_is_believed() -> None:
    """No `|safe`, no template made of a string, no script or style in a page: the policy of browsers would refuse them."""
    script = r"<script(?![^>]*\bsrc=)(?![^>]*application/ld\+json)"
    believed = re.compile(rf"\|\s*safe\b|{script}|<style\b|\bon[a-z]+=\"|javascript:|\bstyle=\"")
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for folder in ("storefront", "desk")
        for path in sorted((ROOT / "templates" / folder).rglob("*.html"))
        if path.parent.name != "papers"  # which are printed, by a program that fetches and runs nothing
        for match in believed.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []
    made = [name for name, tree in sources("backoffice", "storefront") if "render_template_string" in ast.dump(tree)]
    assert made == []
