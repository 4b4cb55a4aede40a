# shellcheck shell=bash
# Lists of hosts with the number of ranks that each takes: `hosts` and `slots`, in order. Sourced, not
# run.

# add_host NAME SLOTS
add_host() {
  [[ $1 =~ ^[A-Za-z0-9._:-]+$ ]] || fail 2 "'$1' is no name of a host"
  [[ $2 =~ ^[1-9][0-9]{0,5}$ ]] || fail 2 "host $1: '$2' is no number of ranks"
  hosts+=("$1")
  slots+=("$2")
}

# read_host_list "A:2,B:2"
read_host_list() {
  local entry
  local -a entries
  IFS=, read -ra entries <<<"$1"
  for entry in "${entries[@]}"; do
    if [[ $entry == *:* ]]; then
      add_host "${entry%:*}" "${entry##*:}"
    else
      add_host "$entry" 1
    fi
  done
}

# read_hostfile FILE SLOTS: Open MPI's lines "host slots=2", and "host:2" as other MPI libraries have
# it; SLOTS where a line has neither.
read_hostfile() {
  local name rest count
  [[ -r $1 ]] || fail 2 "cannot read the hostfile $1"
  while read -r name rest || [[ -n $name ]]; do
    name=${name%%#*}
    [[ -n $name ]] || continue
    count=$2
    [[ ! $rest =~ (^| )slots\ *=\ *([0-9]+) ]] || count=${BASH_REMATCH[2]}
    if [[ $name =~ ^([^:]+):([0-9]+)$ ]]; then
      name=${BASH_REMATCH[1]} count=${BASH_REMATCH[2]}
    fi
    add_host "$name" "$count"
  done <"$1"
  ((${#hosts[@]} > 0)) || fail 2 "the hostfile $1 names no host"
}

write_hostfile() {
  local index
  for index in "${!hosts[@]}"; do
    printf '%s slots=%s\n' "${hosts[index]}" "${slots[index]}"
  done
}

# is_this_machine HOST
is_this_machine() {
  local own
  own=$(uname -n)
  [[ $1 == localhost || $1 == 127.* || $1 == ::1 || $1 == "$own" || $1 == "${own%%.*}" ||
    ${1%%.*} == "$own" ]]
}
