"""``python -m sodlift`` is the command ``sodlift``."""

import sys

from sodlift.cli.main import main

sys.exit(main())
