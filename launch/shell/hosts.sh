# shellcheck shell=bash
# Lists of hosts with the number of ranks that each takes: `hosts` and `slots`, in order. Sourced, not
# run.

# add_host NAME SLOTS: a host named again takes that many more, as mpirun has it (batch systems write a
# line for each core).
add_host() {
  local index
  [[ $1 != *@* ]] || fail 2 "'$1': the user is an option of ssh, --ssh-args \"-l ${1%%@*}\""
  [[ $1 =~ ^[A-Za-z0-9._:-]+$ ]] || fail 2 "'$1' is no name of a host"
  [[ $2 =~ ^[1-9][0-9]{0,5}$ ]] || fail 2 "host $1: '$2' is no number of ranks"
  if [[ -n ${host_index[$1]:-} ]]; then
    index=${host_index[$1]}
    slots[index]=$((slots[index] + $2))
    return
  fi
  host_index[$1]=${#hosts[@]}
  hosts+=("$1")
  slots+=("$2")
}

# read_host_list "A:2,B:2"
read_host_list() {
  local entry
  local -a entries
  IFS=, read -ra entries <<<"$1"
  for entry in "${entries[@]}"; do
    add_host_word "${entry//[[:space:]]/}" 1
  done
}

# add_host_word WORD SLOTS: "A", or "A:2", as some MPI libraries have it; with more colons it is an address
# of IPv6.
add_host_word() {
  if [[ $1 =~ ^([^:]+):([^:]*)$ ]]; then
    add_host "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
  else
    add_host "$1" "$2"
  fi
}

# read_hostfile FILE SLOTS: lines as Open MPI has them, "host slots=2"; SLOTS where a line does not say.
read_hostfile() {
  local line
  local -a lines
  [[ -r $1 && ! -d $1 ]] || fail 2 "cannot read the hostfile $1"
  mapfile -t lines <"$1"
  for line in "${lines[@]}"; do
    line=${line%%#*}
    line=${line//$'\r'/} # the file may come from Windows
    [[ $line =~ ^[[:space:]]*$ ]] || read_hostfile_line "$1" "$2" "$line"
  done
  ((${#hosts[@]} > 0)) || fail 2 "the hostfile $1 names no host"
}

read_hostfile_line() {
  local file=$1 count=$2 word
  local -a words
  # Spaces may stand around the sign. (Repeated patterns are beyond ${3//...}.)
  # shellcheck disable=SC2001
  IFS=$' \t' read -ra words <<<"$(sed 's/[[:space:]]*=[[:space:]]*/=/g' <<<"$3")"
  for word in "${words[@]:1}"; do
    case $word in
      slots=*) count=${word#*=} ;;
      max_slots=* | max-slots=*) ;; # more than slots are never asked for
      *) fail 2 "hostfile $file, '$3': '$word' is not understood; a line is 'host slots=N'" ;;
    esac
  done
  add_host_word "${words[0]}" "$count"
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
    ${1%%.*} == "$own" ]] || is_own_address "$1"
}

is_own_address() {
  [[ $1 =~ ^[0-9.]+$ || $1 == *:* ]] || return 1
  [[ " $(own_addresses) " == *" $1 "* ]]
}

# Addresses of this machine, but for those of loopback.
own_addresses() { hostname -I 2>/dev/null || true; }
