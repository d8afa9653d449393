"""torchvision and all that import it load in fresh processes, whatever torch they find."""

import subprocess
import sys

import pytest

CURED = """
from embedders.torchvision_schemas import declare_missing
declare_missing()
declare_missing()
"""


def _python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_torchvision_loads_after_the_declaration_and_again_after_it_is_loaded():
    pytest.importorskip("torch")
    done = _python(
        CURED + "import torchvision.transforms\ndeclare_missing.cache_clear()\n"
        "print(declare_missing())"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "()"  # nothing is missing any more


def test_only_what_is_missing_is_declared():
    done = _python(
        "import torch\n"
        "own = torch.library.Library('torchvision', 'FRAGMENT')\n"
        "own.define('nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor')\n"
        "import embedders.torchvision_schemas as schemas\n"
        "schemas._load_compiled_part = lambda: None\n"
        "print(schemas.declare_missing())"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "('qnms',)"
