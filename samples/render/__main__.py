"""`python -m samples.render FOLDER`: render the sample pictures and their masks."""

import sys
from pathlib import Path

from samples.render.write import render_samples

if __name__ == "__main__":
    render_samples(Path(sys.argv[1]))
