# shellcheck shell=bash
# Other hosts answer to ssh before mpirun is started, for mpirun tries once. Sourced, not run.

# Sets ssh_words: ssh, and the options that mpirun, the MPIJob and the caller give it.
make_ssh_words() {
  # shellcheck disable=SC2206 # words, as they were given
  ssh_words=(ssh ${OMPI_MCA_plm_rsh_args:-${PRTE_MCA_plm_ssh_args:-}} $ssh_options)
}

# Slurm starts what mpirun needs on other hosts, where mpirun knows Slurm.
needs_ssh() {
  [[ $launcher == mpirun ]] && ((${#remote[@]} > 0)) || return 1
  [[ $world_source != Slurm* || $(ompi_info 2>/dev/null || true) != *'MCA plm: slurm'* ]]
}

# answers HOST FILE: whether it does within 10 s; what ssh says otherwise goes to FILE.
answers() {
  timeout --kill-after=2 10 "${ssh_words[@]}" -o BatchMode=yes -o ConnectTimeout=5 "$1" true \
    </dev/null >"$2" 2>&1
}

# why_silent INDEX: the last that ssh said about the host.
why_silent() {
  local text
  text=$(tr -d '\r' <"$scratch/ssh-$1" | tail -n 1)
  printf '%s\n' "${text:-nothing within 10 s}"
}

wait_for_hosts() {
  needs_ssh || return 0
  make_ssh_words
  local missing=() deadline=$((SECONDS + wait_seconds)) spoke=-60 index
  while true; do
    ask_hosts
    missing=()
    for index in "${!remote[@]}"; do
      [[ -e $scratch/answered-$index ]] || missing+=("${remote[index]} ($(why_silent "$index"))")
    done
    ((${#missing[@]} > 0)) || break
    ((SECONDS < deadline)) || fail 5 "no answer to ssh within $wait_seconds s from" \
      "$(join_comma "${missing[@]}"); nothing was started"
    if ((SECONDS >= spoke + 30)); then
      say "waiting for ssh: $(join_comma "${missing[@]}")"
      spoke=$SECONDS
    fi
    pause 1
  done
}

# Asks all those that have not answered, at the same time.
ask_hosts() {
  local index asked=()
  for index in "${!remote[@]}"; do
    if [[ ! -e $scratch/answered-$index ]]; then
      { answers "${remote[index]}" "$scratch/ssh-$index" && touch "$scratch/answered-$index"; } &
      asked+=("$!")
    fi
  done
  for index in "${asked[@]}"; do wait "$index" || true; done
}

# Those that do not answer now, one a line.
silent_hosts() {
  local index
  needs_ssh || return 0
  rm -f -- "$scratch"/answered-*
  ask_hosts
  for index in "${!remote[@]}"; do
    [[ -e $scratch/answered-$index ]] || printf '%s\n' "${remote[index]}"
  done
}

join_comma() {
  local text
  text=$(printf ', %s' "$@")
  printf '%s\n' "${text:2}"
}
