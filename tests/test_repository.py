"""Checks of the repository as a whole: links, commands, settings and targets in the documents, dependencies, exclusions."""

import ast
import re
import shlex
import subprocess
import sys
import tomllib
from hashlib import sha256
from pathlib import Path

import pytest
import typer.main

from api.settings import ApiSettings
from auth.settings import RegistrySettings
from cli.main import app
from datasets.pipeline.settings import BuildSettings

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
README = (ROOT / "README.md").read_text()
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_every_admin_command_in_the_demo_gives_a_reason():
    """The demo runs the commands of admins as a person does, and each requires `--reason`."""
    calls = [
        call
        for call in (ROOT / "demo.py").read_text().split("daylight(")
        if re.search(r'"admin",\s*"(project",\s*"create|researcher",\s*"add|token",\s*"issue)"', call)
    ]
    assert len(calls) == 3
    assert all('"--reason"' in call for call in calls)


def tracked_files():
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.splitlines()
    return [ROOT / name for name in listed if (ROOT / name).is_file()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_to_an_existing_file(document):
    for link in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
        assert (document.parent / link).exists(), link


def test_the_layout_in_the_readme_names_every_folder_of_code():
    layout = README[README.index("## Layout") :]
    folders = {
        path.relative_to(ROOT).parts[0]
        for path in tracked_files()
        if path.suffix == ".py" and path.parent != ROOT
    }
    for folder in folders:
        assert f"{folder}/" in layout, f"{folder}/ is not in the layout"


def test_the_operations_guide_lists_every_setting_and_no_other():
    guide = (ROOT / "docs" / "operations.md").read_text()
    settings = {
        f"DAYLIGHT_{name.upper()}"
        for kind in (ApiSettings, RegistrySettings, BuildSettings)
        for name in _setting_names(kind)
    }
    assert set(re.findall(r"`(DAYLIGHT_\w+)`", guide)) == settings


def _setting_names(kind):
    for name, field in kind.model_fields.items():
        yield (field.alias or name)


def _commands(group, before=()):
    for name, command in group.commands.items():
        yield from (
            _commands(command, (*before, name))
            if hasattr(command, "commands")
            else [((*before, name), command)]
        )


COMMANDS = dict(_commands(typer.main.get_command(app)))


def shell_lines():
    for document in DOCUMENTS:
        for block in re.findall(r"```sh\n(.*?)```", document.read_text(), re.S):
            for line in block.replace("\\\n", " ").splitlines():
                yield document.name, line.split("   #")[0].strip()


def test_every_command_in_the_documents_exists_with_its_options():
    checked = 0
    for name, line in shell_lines():
        words = shlex.split(line.removeprefix("TOKEN=$(").removesuffix(")").removesuffix(" &"), comments=True)
        if words[:1] != ["daylight"] or "DATASET" in words:
            continue
        depth = max(n for n in range(1, 5) if tuple(words[1:n]) in COMMANDS or n == 1)
        command = COMMANDS.get(tuple(words[1:depth]))
        assert command is not None, f"{name}: {line}"
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, f"{name}: {line}"
        checked += 1
    assert checked >= 9


def test_every_make_target_in_the_readme_exists():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`?make ([\w-]+)`?", README):
        assert re.search(rf"^{target}:", makefile, re.M), target


def test_every_dependency_has_a_comment():
    text = (ROOT / "pyproject.toml").read_text()
    project = tomllib.loads(text)["project"]
    optional = project["optional-dependencies"]
    for requirement in [*project["dependencies"], *optional["build"], *optional["dev"]]:
        (line,) = [line for line in text.splitlines() if line.strip().startswith(f'"{requirement}",')]
        assert "# " in line, f"{requirement} has no comment that says why it is needed"


def test_every_noqa_type_ignore_and_no_cover_comment_gives_a_reason():
    for path in tracked_files():
        if path.suffix != ".py" or path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = re.search(r"#\s*(noqa: [A-Z0-9, ]+|type: ignore\[[\w-]+\]|pragma: no cover)(.*)", line)
            assert not found or found[2].strip(), (
                f"{path.name}:{number} switches off a check and does not say why"
            )


def test_pytest_collects_every_test_file():
    listed = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only"], cwd=ROOT, capture_output=True, text=True
    )
    collected = {line.split("::")[0] for line in listed.stdout.splitlines() if "::" in line}
    files = {str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("test_*.py")}
    assert files
    assert files == collected


def test_no_file_contains_a_path_into_a_home_folder():
    for path in tracked_files():
        if path.suffix in {".py", ".md", ".toml", ".lock", ".json", ".mako"} or path.name in {
            "Makefile",
            "run",
        }:
            text = path.read_text()
            assert not re.search(r"(?<![\w.-])/(home|root|Users)/\w", text), path


def test_every_imported_package_is_a_declared_dependency():
    """What the program and the demo import is in the runtime lock; tests and benchmarks also have the tools of developers."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    runtime = {re.split(r"[\[>=<]", one)[0] for one in project["dependencies"]}
    tools = {re.split(r"[\[>=<]", one)[0] for one in project["optional-dependencies"]["dev"]}
    ours = {"api", "auth", "datasets", "tests", "bench", "cli", "demo", "daylight_launcher"}
    distributions = {
        "jose": "python-jose",
        "dateutil": "python-dateutil",
        "jwt": "pyjwt",
        "xdist": "pytest-xdist",
    }
    for path in tracked_files():
        if path.suffix != ".py":
            continue
        declared = runtime | (tools if path.relative_to(ROOT).parts[0] in {"tests", "bench"} else set())
        for module in set(imported_packages(path)) - ours - set(sys.stdlib_module_names):
            name = distributions.get(module, module.replace("_", "-"))
            assert name in declared, f"{path.relative_to(ROOT)} imports {module}"


def imported_packages(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def test_the_first_version_in_the_changelog_is_that_of_the_package_and_unreleased_while_it_is_a_dev_version():
    version = PROJECT["version"]
    released, dev, _ = version.partition(".dev")
    first = re.findall(r"^## (.+)$", CHANGELOG, re.M)[0]
    assert re.fullmatch(rf"{re.escape(released)}, (unreleased|\d{{4}}-\d\d-\d\d)", first), (version, first)
    assert first.endswith("unreleased") == bool(dev), (version, first)


def test_the_changelog_groups_each_version_into_added_changed_fixed_and_security():
    """The groups of Keep a Changelog 1.1.0, in one order, and every line of a version in one of them."""
    order = ["Added", "Changed", "Fixed", "Security"]
    for section in re.split(r"^## ", CHANGELOG, flags=re.M)[1:]:
        version = section.splitlines()[0]
        groups = re.findall(r"^### (.+)$", section, re.M)
        assert groups == [group for group in order if group in groups], version
        assert groups or version.endswith("unreleased"), f"{version} has no group"
        assert not re.search(r"^- ", section.split("### ")[0], re.M), version


def test_the_licence_is_apache_2_0_word_for_word_and_the_package_declares_it():
    """The text of https://www.apache.org/licenses/LICENSE-2.0.txt, by its SHA-256; the field by PEP 639."""
    digest = sha256((ROOT / "LICENSE").read_bytes()).hexdigest()
    assert digest == "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
    assert (PROJECT["license"], PROJECT["license-files"]) == ("Apache-2.0", ["LICENSE"])


def test_the_index_of_decisions_lists_each_decision_once_in_order_with_its_title():
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(
        r"^\| \[(\d{4})\]\((\S+)\) \| (.+) \| .+\. \|$", (folder / "README.md").read_text(), re.M
    )
    decisions = [
        (path.name[:4], path.name, path.read_text().splitlines()[0].removeprefix("# "))
        for path in sorted(folder.glob("[0-9]*.md"))
    ]
    assert decisions
    assert listed == decisions


def test_every_file_has_the_form_that_the_editorconfig_asks_for():
    """UTF-8, lines that end in LF and not in blanks, a line end at the end of the file; tabs in the Makefile alone."""
    for path in tracked_files():
        text = path.read_bytes().decode("utf-8")
        assert "\r" not in text, path
        assert not text or text.endswith("\n"), path
        assert not re.search(r"[ \t]$", text, re.M), path
        assert "\t" not in text or path.name == "Makefile", path


def test_every_hook_before_a_commit_runs_a_tool_of_the_locked_environment():
    text = (ROOT / ".pre-commit-config.yaml").read_text()
    entries = re.findall(r"^ +entry: (\S+)", text, re.M)
    assert entries
    assert len(entries) == len(re.findall(r"^ +- id: ", text, re.M)) == text.count("language: system")
    assert all(entry.startswith(".venv/bin/") for entry in entries)
    assert re.findall(r"^ +- repo: (\S+)", text, re.M) == ["local"], "a remote hook has a version of its own"
