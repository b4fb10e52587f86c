"""The rules of the house that a machine can keep."""

import ast
import subprocess
import sys
from pathlib import Path

HEAVY = {
    *("cv2", "av", "pocketsphinx", "torch", "whisper", "faster_whisper", "google.genai", "boto3"),
    *("facebook_business", "requests", "matplotlib"),
}
PACKAGE = Path(__file__).resolve().parent.parent / "videolab_assets"


def _imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return names | {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}


def test_the_library_knows_nothing_of_dagster() -> None:
    """`lib/` must stay usable from a notebook, and testable without an instance."""
    guilty = {
        str(path.relative_to(PACKAGE)): name
        for path in (PACKAGE / "lib").rglob("*.py")
        for name in _imports(path)
        if name.split(".")[0].startswith("dagster") or name.startswith(("videolab_assets.defs", "videolab_assets.settings"))
    }
    assert not guilty


def test_no_private_parts_of_dagster() -> None:
    """`dagster._core` changes in any patch release."""
    guilty = {str(path): name for path in PACKAGE.rglob("*.py") for name in _imports(path) if name.startswith("dagster._")}
    assert not guilty


def test_definitions_load_in_a_fresh_process_without_heavy_libraries() -> None:
    """The daemon, the code server and each run load the definitions: OpenCV, a speech model or boto3 there costs every one of them."""
    code = (
        "import sys, videolab_assets.definitions as d; repository = d.defs().get_repository_def(); "
        f"print(sorted({HEAVY} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
