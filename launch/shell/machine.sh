# shellcheck shell=bash
# This machine alone: how many ranks it takes. Sourced, not run.

# GPUs that a program started here would see.
count_gpus() {
  local visible=${CUDA_VISIBLE_DEVICES-all} listed count=0
  if command -v nvidia-smi >/dev/null && listed=$(nvidia-smi --list-gpus 2>/dev/null); then
    count=$(grep -c '^GPU ' <<<"$listed" || true)
  fi
  if [[ $visible != all ]] && ((count > 0)); then
    count=$(tr ',' '\n' <<<"$visible" | grep -c '^[A-Z0-9]' || true)
  fi
  printf '%s\n' "$count"
}

# Cores that this process may use: its affinity, and what a container is given.
count_cores() {
  local cores quota period
  cores=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)
  if [[ -r /sys/fs/cgroup/cpu.max ]] && read -r quota period </sys/fs/cgroup/cpu.max &&
    [[ $quota =~ ^[0-9]+$ ]] && ((quota / period < cores)); then
    cores=$((quota / period))
  fi
  printf '%s\n' "$((cores > 0 ? cores : 1))"
}

find_machine_world() {
  local count=$asked_ranks cores shards
  world_source="this machine"
  if [[ -z $count ]]; then
    count=$(count_gpus)
    world_source+=", one rank a GPU"
  fi
  if ((count == 0)); then
    cores=$(count_cores)
    count=$cores
    world_source="this machine, $cores cores"
    if [[ $trains == yes ]]; then
      read_configuration
      shards=$(configured shards)
      ((count <= shards)) || count=$shards
      while ((shards % count != 0)); do count=$((count - 1)); done
      world_source+=", batch.shards $shards"
    fi
  fi
  add_host localhost "$count"
}
