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

# `ray start --head` guards a cluster with a token; whoever submits must say that it uses one
if [ -z "${RAY_AUTH_MODE:-}" ] && { [ -n "${RAY_AUTH_TOKEN:-}" ] || [ -f "${RAY_AUTH_TOKEN_PATH:-$HOME/.ray/auth_token}" ]; }; then
  export RAY_AUTH_MODE=token
fi

head=
stop_head() { # not `ray stop`, which would end every Ray on this machine
  if [ -n "$head" ]; then
    kill "$head" 2> /dev/null || true
    wait "$head" 2> /dev/null || true
    rm -f "$log"
  fi
}

# the agent that starts jobs would share its default port with any other Ray on this machine, and not start
free_port() { python -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])'; }

answers() { (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null; }

if [ -z "${RAY_ADDRESS:-}" ]; then
  if ! answers 8265; then
    echo "starting a Ray head on this machine"
    export RAY_AUTH_MODE=token
    ray get-auth-token --generate > /dev/null 2>&1
    log=$(mktemp)
    RAY_worker_niceness=0 ray start --head --block --disable-usage-stats --dashboard-host 127.0.0.1 \
      --dashboard-agent-listen-port "$(free_port)" > "$log" 2>&1 &
    head=$!
    trap stop_head EXIT
    until answers 8265; do
      kill -0 "$head" 2> /dev/null || { echo "error: the Ray head did not start:" >&2; cat "$log" >&2; exit 2; }
      sleep 0.5
    done
  fi
  export RAY_ADDRESS=http://127.0.0.1:8265
fi

runtime_env='{"excludes": [".git", ".venv", "/results", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"]'
if [ -n "${AEBENCH_DATA:-}" ]; then
  runtime_env+=", \"env_vars\": {\"AEBENCH_DATA\": \"$(realpath -m -- "$AEBENCH_DATA")\"}"
fi
runtime_env+='}'
said=$(mktemp)
trap 'rm -f "$said"; stop_head' EXIT
for attempt in {1..10}; do
  status=0
  ray job submit --working-dir "$here" --runtime-env-json "$runtime_env" -- \
    python -m aebench run "$entry" --output "$output" "${arguments[@]}" 2> "$said" || status=$?
  # a head that has just started takes a few seconds until it can start jobs
  grep -q 'No available agent' "$said" || break
  sleep 1
done
if [ "$status" -ne 0 ]; then
  tail -n 1 "$said" >&2
  echo "error: the job failed (attempt $attempt, exit code $status); its log is above" >&2
fi
exit "$status"
