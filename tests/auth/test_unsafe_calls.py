"""The code of auth calls only the safe functions of python-jose, and nothing else calls it."""

from __future__ import annotations

import ast
from pathlib import Path

import auth

SOURCES = sorted(Path(auth.__file__).parent.rglob("*.py"))
ALLOWED = {"jws.sign", "jws.verify", "jwk.construct", "jwk.get_key"}


def test_only_safe_functions_of_python_jose_are_called():
    for source in SOURCES:
        tree = ast.parse(source.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "jose":
                names = {alias.name for alias in node.names}
                assert names <= {"jws", "jwk", "Key", "CryptographyECKey", "JOSEError"}, source
            if isinstance(node, ast.Import):
                assert not any(alias.name.split(".")[0] == "jose" for alias in node.names), source
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("jws", "jwk"):
                assert ast.unparse(node) in ALLOWED, source


def test_only_auth_imports_python_jose():
    root = Path(auth.__file__).parent.parent
    others = [
        file for folder in ("api", "cli", "datasets", "bench") for file in (root / folder).rglob("*.py")
    ]
    assert len(others) > 100
    for source in (*others, root / "demo.py"):
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert "jose" not in {name.split(".")[0] for name in names}, source


def test_each_verification_names_exactly_one_algorithm():
    calls = [
        node
        for source in SOURCES
        for node in ast.walk(ast.parse(source.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "jws.verify"
    ]
    assert len(calls) == 2
    for call in calls:
        assert ast.unparse(call.keywords[0]) == "algorithms=[ALGORITHM]"


def test_auth_imports_neither_datasets_nor_http():
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            assert not {name.split(".")[0] for name in names} & {"datasets", "api", "fastapi", "starlette"}
