# shellcheck shell=bash
# Whether ranks start at all where mpirun has to reach other hosts: its daemons there call it back, and
# where a firewall swallows that, mpirun waits for minutes, or for ever. Sourced, not run.

# What a rank says before it becomes the program; kept from terminal and logs.
started_word="launch/run: started"

# Ends start_words with those that have each rank say it, and sets tells_start.
# shellcheck disable=SC2016 # the rank's shell expands
add_start_wrapper() {
  tells_start=yes
  start_words+=(/bin/sh -c 'echo "$0: started"; exec "$@"' launch/run)
}

# note_start EVENTS RANK
note_start() { printf '%s\n' "$2" >>"$1/started"; }

# have_started EVENTS: whether all ranks have.
have_started() {
  [[ -e $1/started ]] && (($(wc -l <"$1/started") >= ranks))
}

# explain_no_start EVENTS: says what is in the way. mpirun still waits, so that hosts can be asked to call it.
explain_no_start() {
  local ports=() addresses=() failed=() index pids=()
  warn "not all ranks have started within $start_seconds s (--start-wait)"
  needs_ssh && mapfile -t ports < <(listening_ports "$job")
  mapfile -t addresses < <(own_addresses | tr ' ' '\n' | grep -F .) # IPv4, as mpirun's daemons have it
  if ((${#ports[@]} == 0 || ${#addresses[@]} == 0)); then
    warn "is the same version of Open MPI on all hosts, and are all ports open between them, both ways?"
    return 0
  fi
  for index in "${!remote[@]}"; do
    calls_back "${remote[index]}" "${ports[*]}" "${addresses[@]}" >"$scratch/call-$index" &
    pids+=("$!")
  done
  for index in "${pids[@]}"; do wait "$index" || true; done
  for index in "${!remote[@]}"; do
    [[ -s $scratch/call-$index ]] || failed+=("${remote[index]}")
  done
  if ((${#failed[@]} > 0)); then
    warn "mpirun's daemons call it back from their hosts, and $(join_comma "${failed[@]}") cannot reach" \
      "${addresses[*]} (TCP, ports ${ports[*]}; others at each start). Open all ports between the hosts, both" \
      "ways: firewall, security group, NetworkPolicy"
  elif reach_some_only; then
    warn "mpirun's daemons call it back from their hosts, which reach $(sort -u "$scratch"/call-* | paste -sd ' ')," \
      "but not all of ${addresses[*]}. Name the network between the hosts: --interfaces"
  else
    warn "all hosts reach this machine; is the same version of Open MPI on all of them?"
  fi
}

reach_some_only() {
  local index
  for index in "${!remote[@]}"; do
    (($(wc -l <"$scratch/call-$index") >= ${#addresses[@]})) || return 0
  done
  return 1
}

# listening_ports PROCESS: TCP ports that it listens on for other machines, one a line.
listening_ports() {
  local sockets
  sockets=$(find "/proc/$1/fd" -lname 'socket:*' -printf '%l\n' 2>/dev/null | tr -dc '0-9\n')
  # local address:port in hexadecimal, state 0A: listening; not those of loopback.
  awk -v sockets="$sockets" '
    BEGIN { count = split(sockets, list, "\n"); for (i = 1; i <= count; i++) own[list[i]] = 1 }
    $4 == "0A" && ($10 in own) && $2 !~ /^0100007F:/ { split($2, parts, ":"); print parts[2] }
  ' "/proc/$1/net/tcp" 2>/dev/null | while read -r port; do printf '%d\n' "0x$port"; done
}

# calls_back HOST PORTS ADDRESS...: prints the addresses at which the host reaches one of the ports here.
calls_back() {
  local host=$1
  shift
  timeout --kill-after=2 $((10 + 3 * $#)) "${ssh_words[@]}" -o BatchMode=yes -o ConnectTimeout=5 "$host" \
    bash -s -- "'$1'" "${@:2}" 2>/dev/null <<'END' || true
ports=$1
shift
for address in "$@"; do
  for port in $ports; do
    timeout 3 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$address" "$port" 2>/dev/null && echo "$address" && break
  done
done
END
}
