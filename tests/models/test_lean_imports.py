"""Libraries are imported without what Segport does not use, and are whole afterwards."""

import subprocess
import sys

import pytest
from small_networks import ROOT

SMP = """
import sys
import models.torchvision_shim
from models.common.lean_imports import without_dynamo
with without_dynamo():
    import segmentation_models_pytorch
"""
SCRIPTS = {
    "nothing of it is there afterwards": f"{SMP}\nprint('torch._dynamo' not in sys.modules)",
    "it can be imported afterwards": f"""{SMP}
import torch._dynamo.eval_frame, torch
print(torch._dynamo.disable is torch._dynamo.decorators.disable)""",
    "what asks for more of it is given it": """
from models.common.lean_imports import without_dynamo
with without_dynamo():
    import torch
    optimized = torch._dynamo.OptimizedModule
import torch._dynamo
print(optimized is torch._dynamo.OptimizedModule)""",
    "who has it already keeps it": """
import torch._dynamo as before
from models.common.lean_imports import without_dynamo
with without_dynamo():
    import torch._dynamo as inside
print(before is inside)""",
    "a check of what can be compiled is torch's own": f"""{SMP}
from torchvision.ops.roi_align import is_compile_supported
from torch._dynamo.utils import is_compile_supported as expected
print(is_compile_supported('cpu') == expected('cpu'))""",
    "a library is hidden in the block alone": """
from models.common.lean_imports import without
with without('sqlite3'):
    try:
        import sqlite3
        print('found')
    except ImportError:
        import json
import sqlite3
print(json is not None)""",
    "a library that is there stays": """
import sqlite3 as before
from models.common.lean_imports import without
with without('sqlite3'):
    import sqlite3
print(before is sqlite3)""",
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_imports(script: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "True", done.stdout + done.stderr
