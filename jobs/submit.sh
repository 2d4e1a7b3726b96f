#!/usr/bin/env bash
# Submit a job file to Ray:  jobs/submit.sh jobs/paper.toml [--output FOLDER] [--set KEY=VALUE …]
#
# It is `aebench submit` of this checkout, which see.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=$here/.venv/bin/python
[ -x "$python" ] || python=python3
PYTHONPATH=$here${PYTHONPATH:+:$PYTHONPATH} exec "$python" -m aebench submit "$@"
