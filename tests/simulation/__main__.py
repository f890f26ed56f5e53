"""Run seeds: ``python -m tests.simulation --seeds 100`` or ``--seed 7``. See docs/simulation.md."""

import sys

from tests.simulation.command import main

sys.exit(main(sys.argv[1:]))
