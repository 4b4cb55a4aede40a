# shellcheck shell=bash
# Hosts and ranks of a Slurm allocation, and srun. Sourced, not run.

is_slurm() { [[ -n ${SLURM_JOB_ID:-} && -n ${SLURM_JOB_NODELIST:-} ]]; }

find_slurm_world() {
  if [[ -n ${SLURM_STEP_ID:-} ]] && ((${SLURM_STEP_NUM_TASKS:-1} > 1)); then
    fail 2 "srun started launch/run ${SLURM_STEP_NUM_TASKS} times, and each would start all ranks;" \
      "call it once, in the batch script, without srun"
  fi
  local names count index=0
  local -a counts=()
  names=$(scontrol show hostnames "$SLURM_JOB_NODELIST") ||
    fail 5 "scontrol does not tell the hosts of $SLURM_JOB_NODELIST"
  world_source="Slurm job $SLURM_JOB_ID"
  mapfile -t counts < <(expand_tasks "${SLURM_TASKS_PER_NODE:-1}")
  while read -r name; do
    count=${counts[index]:-${counts[-1]}}
    add_host "$name" "$count"
    index=$((index + 1))
  done <<<"$names"
  asked_ranks=${asked_ranks:-${SLURM_NTASKS:-}}
}

# expand_tasks "2(x3),1": 2 2 2 1, one a line.
expand_tasks() {
  local part repeat
  local -a parts
  IFS=, read -ra parts <<<"$1"
  for part in "${parts[@]}"; do
    repeat=1
    [[ ! $part =~ ^([0-9]+)\(x([0-9]+)\)$ ]] || part=${BASH_REMATCH[1]} repeat=${BASH_REMATCH[2]}
    for (( ; repeat > 0; repeat--)); do printf '%s\n' "$part"; done
  done
}

# Without PMIx the tasks of srun would not find each other.
has_srun_with_pmix() {
  local kinds
  command -v srun >/dev/null || return 1
  # Not into grep -q: it stops reading early, and srun then ends by SIGPIPE.
  kinds=$(srun --mpi=list 2>&1) && grep -q '\bpmix' <<<"$kinds"
}

make_srun_words() {
  start_words=(srun --mpi=pmix --ntasks="$ranks" --nodes="$hosts_in_use" --distribution=block
    --label --unbuffered --kill-on-bad-exit=1 --wait=0)
  # Since Slurm 22.05 a step no longer has what sbatch was told.
  if [[ -n $cores_a_rank ]]; then
    start_words+=(--cpus-per-task="$cores_a_rank" --cpu-bind=cores)
  elif [[ -n ${SLURM_CPUS_PER_TASK:-} ]]; then
    start_words+=(--cpus-per-task="$SLURM_CPUS_PER_TASK")
  fi
  # The MPI library in the ranks reads these; options of mpirun would not reach it.
  local setting
  for setting in "${mpi_settings[@]}"; do
    export "OMPI_MCA_${setting?}"
    shown_environment+=("OMPI_MCA_$setting")
  done
}
