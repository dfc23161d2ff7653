# shellcheck shell=bash
# Shared by the scripts in this folder: messages, packages, the list of files. To be sourced.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# fail CODE MESSAGE...
fail() {
  local code=$1
  shift
  say "$@"
  exit "$code"
}

# Prints the header comment of the running script if its first argument asks for help.
help_if_asked() {
  [[ ${1:-} == --help || ${1:-} == -h ]] || return 0
  awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"
  exit 0
}

have() { command -v "$1" >/dev/null 2>&1; }

# packages_of GROUP...: rows "package command" of tools/packages
packages_of() {
  awk -v groups=" $* " '!/^#/ && NF && index(groups, " " $1 " ") { print $2, $3 }' "$root/tools/packages"
}

# missing_packages GROUP...: one name per line. A command found on the PATH makes its package unnecessary.
missing_packages() {
  local package command installed wanted
  wanted=$(packages_of "$@")
  # shellcheck disable=SC2046  # one word per package
  installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $(cut -d' ' -f1 <<<"$wanted") 2>/dev/null || true)
  while read -r package command; do
    [[ $'\n'$installed$'\n' == *$'\n'"$package installed"$'\n'* ]] && continue
    [[ $command != - ]] && have "$command" && continue
    echo "$package"
  done <<<"$wanted"
}

# Sets `as_root` to the prefix that runs a command as root; fails if this is not possible. sudo may ask for a password
# only if stdin is a terminal, and never with --no-question.
find_root() {
  as_root=()
  [[ $(id -u) == 0 ]] && return
  have sudo || return 1
  if sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
  elif [[ -t 0 && ${1:-} != --no-question ]]; then
    as_root=(sudo)
  else
    return 1
  fi
}

# apt_install PACKAGE...: call find_root first. All output goes to stderr.
apt_install() {
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq
    -o DPkg::Lock::Timeout=60 -o Acquire::http::Timeout=20)
  "${apt[@]}" update >&2 || true # outdated package lists may be sufficient
  "${apt[@]}" install -y --no-install-recommends --no-remove "$@" >&2
}

# list_files FOLDER: tracked and untracked files, relative to FOLDER; without git, all except built or downloaded
# ones.
list_files() (
  cd "$1" || exit
  if [[ -e .git ]] && git rev-parse --git-dir >/dev/null 2>&1; then
    comm -23 <(git -c core.quotePath=false ls-files -co --exclude-standard | sort -u) \
      <(git -c core.quotePath=false ls-files -d | sort -u)
  else
    find . \( -path ./.git -o -path ./build -o -path ./.venv -o -path ./data/fashion-mnist -o -name __pycache__ \) \
      -prune -o -type f -print | sed 's|^\./||' | sort
  fi
)
