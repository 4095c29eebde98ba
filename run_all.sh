#!/usr/bin/env bash
# The one front door: finds Python, sets up once, and hands over to lib.cli. ./run_all.sh --help lists the commands.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

die() { echo "run_all.sh: $*" >&2; exit 2; }
fits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; }

# The active environment, else a .venv of our own. conda's base is left alone: a shared base is easily broken.
if [[ -n ${VIRTUAL_ENV:-} ]]; then
  environment=$VIRTUAL_ENV
elif [[ -n ${CONDA_PREFIX:-} && ${CONDA_DEFAULT_ENV:-base} != base ]]; then
  environment=$CONDA_PREFIX
else
  environment=$PWD/.venv
fi
python=$environment/bin/python

if [[ $environment == "$PWD/.venv" ]]; then
  base=
  for candidate in python3.11 python3.12 python3.13 python3 python; do
    if fits "$candidate"; then base=$candidate; break; fi
  done
  [[ -n $base ]] || die "no Python 3.11, 3.12 or 3.13 on PATH; install one (python.org, conda, your system's packages)"
else
  fits "$python" || die "the active environment $environment has no Python 3.11, 3.12 or 3.13; deactivate it or make another one"
  base=$python
fi

# PyTorch's threads sleep soon while they wait for each other: as fast alone, several times faster beside other work
# (benchmarks/threads.py). Whoever sets how they wait is not overruled.
[[ -n ${OMP_WAIT_POLICY:-} ]] || export GOMP_SPINCOUNT=${GOMP_SPINCOUNT:-1000}

# Help needs no set-up, but for that of the programs behind these two.
if [[ ${1:-} != test && ${1:-} != lab ]]; then
  for argument in "$@"; do
    case $argument in -h | --help) exec "$base" -m lib.cli "$@" ;; esac
  done
fi

# Set-up is done when the stamp holds this; an interrupted one leaves no stamp.
wanted=$("$base" -c 'import hashlib, pathlib, sys
print(hashlib.sha256(b"".join(pathlib.Path(p).read_bytes() for p in sys.argv[2:]) + sys.argv[1].encode()).hexdigest())' \
  "$PWD" environment.yml pyproject.toml)
stamp=$environment/.doppel-set-up

cpu= # set: PyTorch without the libraries for a GPU
if [[ ${1:-} == setup && $# -gt 1 ]]; then
  [[ $# == 2 && $2 == --cpu ]] || die "setup takes nothing but --cpu"
  [[ ! -f $stamp ]] || die "$environment is set up already; to change its PyTorch, remove $stamp and run again"
  cpu=https://download.pytorch.org/whl/cpu
fi

set_up() {
  local log=$environment/doppel-set-up.log size="about 3 GB" torch
  [[ -n $cpu || $(uname -s) != Linux ]] || size="about 3 GB, and several more for the GPU libraries of pip's PyTorch (without: ./run_all.sh setup --cpu)"
  echo "setting up in $environment: $size; 3 minutes or more, once"
  if [[ $environment == "$PWD/.venv" ]] && ! "$python" -m pip --version >/dev/null 2>&1; then
    "$base" -m venv --clear .venv || die "cannot make .venv; on Debian and Ubuntu: apt install python3-venv"
  fi
  rm -f "$stamp"
  sed -n '/^  - pip:/,$ s/^      - //p' environment.yml >"$environment/doppel-requirements.txt"
  if [[ -n $cpu ]]; then # first and alone: what it needs comes with the list, which finds it there
    torch=$(grep '^torch==' "$environment/doppel-requirements.txt")
    "$python" -m pip install --disable-pip-version-check --no-input --force-reinstall --no-deps -q \
      --index-url "$cpu" "$torch" >"$log" 2>&1 || {
      tail -n 5 "$log" >&2
      die "PyTorch's CPU build cannot be fetched from $cpu; ./run_all.sh setup takes pip's own, several GB more"
    }
  fi
  "$python" -m pip install --disable-pip-version-check --no-input --prefer-binary --progress-bar off \
    -r "$environment/doppel-requirements.txt" 2>&1 | tee "$log" | awk '
      /^Collecting|^Processing/ { if (++n % 20 == 0) print "  " n " packages found"; fflush() }
      /^Installing collected/ { print "  installing them: the longest part"; fflush() }
    ' || { tail -n 15 "$log" >&2; die "set-up failed; the whole log is $log; run again to go on"; }
  "$python" -m pip install --disable-pip-version-check --no-input -q --no-deps -e . >>"$log" 2>&1 ||
    { tail -n 15 "$log" >&2; die "set-up failed; the whole log is $log; run again to go on"; }
  echo "$wanted" >"$stamp.part" && mv "$stamp.part" "$stamp"
  echo "set-up is done"
}

[[ -f $stamp && $(<"$stamp") == "$wanted" ]] || set_up
[[ ${1:-} != setup ]] || exit 0
exec "$python" -m lib.cli "$@"
