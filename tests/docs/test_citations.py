"""Citations: wherever a file names a document, the document exists, and so does the section that is named.

Code cites a section as `docs/privacy/bounding.md#sums`: the path from the root of the repository, and the anchor that GitHub
makes of the heading. Pages link to each other relative to their own folder.
"""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
CITATION = re.compile(r"(?<![\w/.-])((?:\.{1,2}/)*[\w-][\w./-]*\.md)(?!\w)(?:#([\w-]*))?")
ADDRESS = re.compile(r"\b[a-z]+://\S+")
OWN_SECTION = re.compile(r"\]\(#([^)\s]+)\)")
DECISION = re.compile(r"(?<![\w-])decisions?[/ ](\d{4})\b")


def tracked_texts() -> list[Path]:
    """Every tracked file that is text, without this one, whose wrong citations are on purpose."""
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [ROOT / name for name in names.splitlines()]
    return [path for path in paths if path.is_file() and path != Path(__file__) and is_text(path)]


def is_text(path: Path) -> bool:
    try:
        path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return False
    return True


@cache
def anchors(page: Path) -> frozenset[str]:
    """The anchors that GitHub makes of a page's headings: lower case, without punctuation, hyphens for spaces."""
    found: dict[str, int] = {}
    made = set()
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", without_code(page.read_text()), re.M):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        repeated = found.get(slug, 0)
        found[slug] = repeated + 1
        made.add(f"{slug}-{repeated}" if repeated else slug)
    return frozenset(made)


def without_code(text: str) -> str:
    return re.sub(r"^(```+|~~~+).*?^\1", "", text, flags=re.M | re.S)


def broken(text: str, source: Path) -> list[str]:
    """The citations in the text of a file that lead nowhere."""
    text = ADDRESS.sub("", text)
    found = [
        match[0]
        for match in CITATION.finditer(text)
        if not (page := cited_page(match[1], source))
        or (match[2] is not None and match[2] not in anchors(page))
    ]
    if source.suffix == ".md" and source.is_file():
        found += [match[0] for match in OWN_SECTION.finditer(text) if match[1] not in anchors(source)]
    return found + [
        m[0] for m in DECISION.finditer(text) if len(list(DOCS.glob(f"decisions/{m[1]}-*.md"))) != 1
    ]


def cited_page(name: str, source: Path) -> Path | None:
    """The page of this name: from the folder of the file or, except for a link with dots, from the root of the repository.

    Code may also name a page of docs by its file name alone.
    """
    folders = [source.parent] if name.startswith(".") else [source.parent, ROOT]
    pages = [folder / name for folder in folders]
    if source.suffix != ".md" and "/" not in name:
        pages += DOCS.rglob(name)
    return next((page for page in pages if page.is_file()), None)


def test_every_document_and_section_that_a_file_names_exists():
    found = {path.relative_to(ROOT).as_posix(): broken(path.read_text(), path) for path in tracked_texts()}
    assert len(found) > 400
    wrong = [f"{name}: {citation}" for name, citations in found.items() for citation in citations]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "text",
    [
        "see PRIVACY.md, section 8",
        "(docs/privacy/nowhere.md)",
        "(docs/privacy/bounding.md#nowhere)",
        "docs/privacy/bounding.md#Sums",
        "[sums](privacy/bounding.md#nowhere)",
        "[sums](../privacy/bounding.md)",
        "[here](#nowhere)",
        "decisions/9999",
    ],
)
def test_a_wrong_citation_is_found(text):
    assert len(broken(text, DOCS / "asking.md")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "docs/privacy/bounding.md#sums.",
        "(docs/privacy/bounding.md#others-whom-a-row-names)",
        "[sums](privacy/bounding.md#sums)",
        "[sums](./privacy/bounding.md#sums)",
        "docs/privacy/README.md",
        "https://example.org/elsewhere.md#nowhere",
        "docs/decisions/0002",
    ],
)
def test_a_right_citation_is_not_taken_for_a_wrong_one(text):
    assert broken(text, DOCS / "asking.md") == []


def test_anchors_are_those_that_github_makes(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# Who, *what* & why?\n## `m` rows [here](x.md)\n## Twice\n## Twice\n```\n# no heading\n```\n## É-é ##\n"
    )
    assert anchors(page) == {"who-what--why", "m-rows-here", "twice", "twice-1", "é-é"}


def test_the_code_cites_the_proofs():
    """A page of proofs that no code cites has lost its code."""
    code = "\n".join(path.read_text() for path in tracked_texts() if path.suffix == ".py")
    for page in sorted((DOCS / "privacy").glob("*.md")):
        assert page.name == "README.md" or f"docs/privacy/{page.name}" in code, page.name
