# shellcheck shell=bash
# Where ranks run. Sourced, not run.

# Sets hosts, slots, ranks, hosts_in_use, remote and world_source, from the first of: arguments, an MPIJob, a
# Slurm allocation, this machine.
find_world() {
  local index total=0
  hosts=() slots=()
  declare -gA host_index=()
  if [[ -n $asked_hosts ]]; then
    world_source=--hosts
    read_host_list "$asked_hosts"
  elif [[ -n $asked_hostfile ]]; then
    world_source="hostfile $asked_hostfile"
    read_hostfile "$asked_hostfile" 1
  elif is_kubernetes; then
    find_kubernetes_world
  elif is_slurm; then
    find_slurm_world
  else
    find_machine_world
  fi
  for index in "${slots[@]}"; do total=$((total + index)); done
  ranks=${asked_ranks:-$total}
  ((ranks <= total)) || fail 2 "$ranks ranks asked for, but the hosts take $total ($world_source)"
  place_ranks
}

# Sets rank_hosts, the host of each rank; hosts_in_use; and remote, those of them that are not this machine.
# One host is filled after the other (--map-by slot, --distribution=block), which the summing within nodes
# relies on.
place_ranks() {
  local index count rank=0
  rank_hosts=() remote=() hosts_in_use=0
  for index in "${!hosts[@]}"; do
    for ((count = 0; count < slots[index] && rank < ranks; count++, rank++)); do
      rank_hosts+=("${hosts[index]}")
    done
    ((count > 0)) || break
    hosts_in_use=$((hosts_in_use + 1))
    is_this_machine "${hosts[index]}" || remote+=("${hosts[index]}")
  done
}

# Sets launcher: mpirun or srun.
choose_launcher() {
  launcher=$asked_launcher
  if [[ -z $launcher ]]; then
    launcher=mpirun
    if [[ $world_source == Slurm* ]] && has_srun_with_pmix; then
      launcher=srun
    fi
  fi
  command -v "$launcher" >/dev/null || fail 2 "there is no $launcher on the PATH"
  [[ $launcher == srun ]] || read_open_mpi_version
}

# Sets start_words, what goes before the program; shown_environment for --dry-run; and tells_start, whether
# each rank says that it has started.
make_start_words() {
  shown_environment=() tells_start=no
  choose_networks
  case $launcher in
    srun) make_srun_words ;;
    mpirun) make_mpirun_words ;;
  esac
}

describe_world() {
  say "$ranks ranks on $hosts_in_use host$([[ $hosts_in_use == 1 ]] || echo s)" \
    "($(write_hostfile | sed 's/ slots=/:/' | paste -sd ' ')); from $world_source; with $launcher" \
    "${open_mpi_version:+of Open MPI $open_mpi_version}"
}

# For --dry-run: lines that a shell takes, but for the hostfile, which is gone by then.
print_commands() {
  local setting
  for setting in "${shown_environment[@]}"; do
    printf 'environment: %s\n' "$setting"
  done
  if needs_ssh; then
    printf 'wait: up to %s s for ssh: %s\n' "$wait_seconds" "${remote[*]}"
  fi
  if [[ $trains == yes ]]; then
    printf 'first:%s\n' "$(printf ' %q' "${start_words[@]}" "${preflight_words[@]}")"
  fi
  printf 'then:%s\n' "$(printf ' %q' "${start_words[@]}" "${program_words[@]}")"
}
