# shellcheck shell=bash
# How ranks are started on one machine. The only place that knows mpirun's flags. Sourced, not run.

# run_ranks COUNT COMMAND...: COMMAND on COUNT ranks, with mpirun's exit code.
# - No binding: mpirun would pin each of two ranks to one core; ranks derive their threads from the
#   cores that they may use.
# - Oversubscribing is allowed: a "slot" is a physical core, of which small machines have one.
run_ranks() {
  local count=$1
  shift
  (
    if ((EUID == 0)) && [[ -z ${OMPI_ALLOW_RUN_AS_ROOT:-} ]]; then
      say "you are root, as in a container: allowing mpirun to run as root, for this call only"
      export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    fi
    # Containers forbid the system call behind the single copy; Open MPI then complains at each start.
    export OMPI_MCA_btl_vader_single_copy_mechanism=${OMPI_MCA_btl_vader_single_copy_mechanism:-none}
    exec mpirun --bind-to none --map-by slot:OVERSUBSCRIBE -np "$count" "$@"
  )
}
