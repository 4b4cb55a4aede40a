# shellcheck shell=bash
# Hosts and ranks of a Kubernetes MPIJob (kubeflow.org/v2beta1). Sourced, not run.
#
# The operator mounts a hostfile into the launcher, one line a worker, and names it, with what else
# mpirun should know, in OMPI_MCA_* variables that Open MPI 5 no longer reads. So all of it is read here
# and given to mpirun as options.

mounted_hostfile=/etc/mpi/hostfile

# Prints the hostfile's path.
find_kubernetes_hostfile() {
  local path=${OMPI_MCA_orte_default_hostfile:-${PRTE_MCA_prte_default_hostfile:-$mounted_hostfile}}
  [[ -r $path ]] && printf '%s\n' "$path"
}

is_kubernetes() {
  [[ -n ${K_MPI_JOB_ROLE:-} ]] ||
    { [[ -n ${KUBERNETES_SERVICE_HOST:-} || -n ${OMPI_MCA_orte_default_hostfile:-} ]] &&
      find_kubernetes_hostfile >/dev/null; }
}

find_kubernetes_world() {
  local file
  [[ ${K_MPI_JOB_ROLE:-launcher} == launcher ]] || fail 2 "this pod is a ${K_MPI_JOB_ROLE} of an" \
    "MPIJob, which only runs sshd; launch/run is for the launcher, which starts the ranks here"
  file=$(find_kubernetes_hostfile) || fail 2 "the launcher of an MPIJob, but there is no hostfile:" \
    "neither OMPI_MCA_orte_default_hostfile nor $mounted_hostfile"
  world_source="Kubernetes MPIJob, $file"
  read_hostfile "$file" "${OMPI_MCA_orte_set_default_slots:-1}"
}
