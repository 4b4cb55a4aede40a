# shellcheck shell=bash
# Which networks ranks talk over. Sourced, not run.

# Networks that a machine has for itself. Two machines give them the same addresses, so that MPI would
# take them for a way from one to the other, and hang.
private_networks=127.0.0.0/8,docker0,virbr0,podman0,cni0,lxcbr0,lxdbr0

# Sets mpi_settings: parameters of the MPI library, which both launchers pass on.
choose_networks() {
  mpi_settings=()
  if [[ -n $interfaces ]]; then
    mpi_settings+=("btl_tcp_if_include=$interfaces")
    if [[ -z ${NCCL_SOCKET_IFNAME:-} && $interfaces != */* ]]; then
      export NCCL_SOCKET_IFNAME=$interfaces
      shown_environment+=("NCCL_SOCKET_IFNAME=$interfaces")
    fi
  elif [[ -z ${OMPI_MCA_btl_tcp_if_include:-}${OMPI_MCA_btl_tcp_if_exclude:-} ]] &&
    ((${#remote[@]} > 0)); then
    mpi_settings+=("btl_tcp_if_exclude=$private_networks")
  fi
}
