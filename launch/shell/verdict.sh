# shellcheck shell=bash
# The exit code of a job that has ended: the program's, where launchers have codes of their own. Sourced,
# not run.

is_ours_code() { [[ $1 =~ ^(0|2|3|4|5|6|70|75)$ ]]; }

# is_final_word EVENTS: whether job_code is a code of the program's. mpirun of Open MPI 5 returns 0 when it
# has lost a host.
is_final_word() {
  is_ours_code "$job_code" || return 1
  [[ $job_code != 0 ]] || ! [[ -e $1/lost || -e $1/daemons || -e $1/failed || -e $1/abort ]]
}

# judge EVENTS: sets job_code to the program's exit code, where the launcher returned one of its own.
judge() {
  local events=$1
  if is_final_word "$events"; then
    return 0
  elif [[ -e $events/lost ]]; then
    warn "lost: $(sort -u "$events/lost" | paste -sd ' '), which nothing reaches any more (exit code" \
      "$job_code of $launcher is 5 here)"
    job_code=5
  elif [[ -e $events/apart ]]; then
    warn "ranks cannot reach each other: $(paste -sd ',' "$events/apart" | sed 's/,/, /g'). Open all ports between" \
      "the hosts (firewall, security group, NetworkPolicy); where they have several networks, name the one" \
      "between them: --interfaces (exit code $job_code of $launcher is 5 here)"
    job_code=5
  elif [[ -e $events/daemons ]]; then
    judge_daemons "$events"
  elif [[ -e $events/abort ]]; then
    job_code=$(<"$events/abort")
  elif [[ -e $events/exits ]]; then
    judge_exits "$events"
  elif [[ $job_code == 0 ]]; then # a rank failed, nobody said how
    job_code=5
  fi
  judge_killed
  judge_start "$events"
  if [[ $is_final == yes ]] && ! is_ours_code "$job_code"; then
    job_code=143
  fi
}

# mpirun takes a session of ssh that ends while ranks run for a daemon that did not start, returns what ssh
# did, and names no host. That is what a container's end looks like when sshd goes before all else.
judge_daemons() {
  local hosts_named
  if have_started "$1"; then
    hosts_named=$( (cat "$1/ssh" 2>/dev/null || silent_hosts) | sort -u | paste -sd ' ')
    warn "lost: ${hosts_named:-one of ${remote[*]}, all of which answer to ssh again}, whose session of ssh ended" \
      "under the ranks (exit code $job_code of $launcher is 5 here)"
    job_code=5
  elif [[ $job_code =~ ^12[67]$ ]]; then
    fail 2 "mpirun's own program is not on every host: the same Open MPI has to be, on the PATH of sessions" \
      "without a login (ssh HOST 'command -v orted', prted for Open MPI 5)"
  fi
}

# A rank that was killed, or whose whole host was, rank first: which of the two, the host tells.
judge_killed() {
  local silent
  ((job_code > 128)) && [[ $is_final == no ]] && needs_ssh || return 0
  silent=$(silent_hosts | paste -sd ' ')
  if [[ -n $silent ]]; then
    warn "lost: $silent, which no longer answers to ssh (exit code $job_code of $launcher is 5 here)"
    job_code=5
  fi
}

# srun returns the largest code, which is that of a rank killed for another's sake.
judge_exits() {
  local code
  while read -r code; do
    if is_ours_code "$code" && ! is_ours_code "$job_code"; then job_code=$code; fi
  done <"$1/exits"
}

# What came before the program's first word.
judge_start() {
  [[ $is_final == no && ! -e $1/up && ! -e $1/failed ]] && ! is_ours_code "$job_code" || return 0
  if [[ -e $1/started && $job_code =~ ^12[67]$ ]]; then
    fail 2 "${program_words[0]} is not on every host, or cannot be run there; the line above has rank and host"
  elif [[ $is_ours == yes ]] && ((hosts_in_use > 1 || ${#remote[@]} > 0)); then
    warn "$launcher did not get ranks going on $hosts_in_use hosts (its exit code $job_code is 5 here)"
    job_code=5
  fi
}
