# shellcheck shell=bash
# What nobody would listen to, said before it is missed: Open MPI 5 started many a job on one host,
# because it passes over OMPI_MCA_orte_default_hostfile without a word. Sourced, not run.

warn_of_ignored() {
  if [[ $launcher == srun ]]; then
    warn_of_options_for_mpirun
    return
  fi
  if ((open_mpi_major == 4)); then
    warn_of_variables '^PRTE_MCA_' "is of Open MPI 5, and Open MPI 4 ignores it" s/^PRTE_MCA_prte_/OMPI_MCA_orte_/
    [[ " $mpirun_options " != *" --prtemca "* ]] ||
      fail 2 "--prtemca is an option of Open MPI 5, and this is $open_mpi_version: --mca"
  else
    warn_of_variables '^OMPI_MCA_(orte|oob|plm|ras|rmaps|odls|hwloc_base_binding)_' \
      "is ignored by Open MPI 5" 's/^OMPI_MCA_orte_/PRTE_MCA_prte_/; s/^OMPI_MCA_plm_rsh_/PRTE_MCA_plm_ssh_/; s/^OMPI_MCA_/PRTE_MCA_/'
    [[ ! " $mpirun_options " =~ \ --?mca\ ((orte|oob|plm|ras|rmaps|odls)_[a-z_]*) ]] ||
      warn "--mca ${BASH_REMATCH[1]} is ignored by Open MPI 5: --prtemca there, and orte_ is prte_"
  fi
  if ! needs_ssh && [[ -n $ssh_options ]]; then
    warn "--ssh-args is ignored: all ranks are on this machine, or started by Slurm"
  fi
}

# warn_of_variables PATTERN WHY SED: for each, its name for the other version; those of an MPIJob are
# handed on by launch/run itself.
warn_of_variables() {
  local name
  while read -r name; do
    case $name in
      OMPI_MCA_orte_default_hostfile | OMPI_MCA_orte_keep_fqdn_hostnames | OMPI_MCA_orte_set_default_slots)
        [[ $world_source != Kubernetes* ]] || continue
        ;;
      OMPI_MCA_plm_rsh_args | PRTE_MCA_plm_ssh_args) continue ;;
    esac
    warn "$name $2; its name here would be $(sed "$3" <<<"$name")"
  done < <(compgen -e | grep -E "$1" | sort)
}

warn_of_options_for_mpirun() {
  [[ -z $mpirun_options ]] || warn "--mpirun-args is ignored: srun starts the ranks (--with mpirun)"
  [[ -z $ssh_options ]] || warn "--ssh-args is ignored: srun starts the ranks"
}
