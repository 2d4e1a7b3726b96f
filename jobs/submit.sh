#!/usr/bin/env bash
# Submit a job file to Ray:  jobs/submit.sh jobs/paper.toml [--output FOLDER] [--set KEY=VALUE …]
#
# RAY_ADDRESS names the cluster's dashboard, such as http://127.0.0.1:8265. Without it, a head that runs on this machine
# is used, or one is started, and stopped afterwards. Results go to results/NAME of this checkout unless --output says
# otherwise; on a cluster of several machines, name a folder that all of them share.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [ $# -lt 1 ] || [ "$1" = -h ] || [ "$1" = --help ]; then
  sed -n '2,6s/^# \{0,1\}//p' "$0"
  exit $(( $# < 1 ? 2 : 0 ))
fi

job=$(realpath -- "$1") && shift
case "$job" in
  "$here"/*) entry=${job#"$here"/} ;;
  *) echo "error: $job lies outside $here, which is what travels with the job; put the job file into it" >&2; exit 2 ;;
esac
[ -f "$job" ] || { echo "error: there is no job file $job" >&2; exit 2; }

output=$here/results/$(basename "$job" .toml)
arguments=()
while [ $# -gt 0 ]; do
  case "$1" in
    -o | --output) output=$(realpath -m -- "$2"); shift 2 ;;
    --output=*) output=$(realpath -m -- "${1#*=}"); shift ;;
    *) arguments+=("$1"); shift ;;
  esac
done

if [ -x "$here/.venv/bin/ray" ]; then PATH=$here/.venv/bin:$PATH; fi
command -v ray > /dev/null || { echo "error: no ray on the PATH; 'make run' installs it into .venv" >&2; exit 2; }

if [ -z "${RAY_ADDRESS:-}" ]; then
  if ! python -c 'import urllib.request as u; u.urlopen("http://127.0.0.1:8265/api/version", timeout=3)' 2> /dev/null; then
    echo "starting a Ray head on this machine"
    RAY_worker_niceness=0 ray start --head --disable-usage-stats --dashboard-host 127.0.0.1 > /dev/null
    trap 'ray stop > /dev/null 2>&1' EXIT
  fi
  export RAY_ADDRESS=http://127.0.0.1:8265
fi

runtime_env='{"excludes": [".git", ".venv", "/results", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"]'
if [ -n "${AEBENCH_DATA:-}" ]; then
  runtime_env+=", \"env_vars\": {\"AEBENCH_DATA\": \"$(realpath -m -- "$AEBENCH_DATA")\"}"
fi
runtime_env+='}'
ray job submit --working-dir "$here" --runtime-env-json "$runtime_env" -- \
  python -m aebench run "$entry" --output "$output" "${arguments[@]}"
