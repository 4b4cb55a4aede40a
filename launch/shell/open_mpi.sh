# shellcheck shell=bash
# mpirun of Open MPI 4 and 5, which differ in what they call their own settings: --mca orte_... and
# plm_rsh_... in 4, --prtemca prte_... and plm_ssh_... in 5. Sourced, not run.

# Sets open_mpi_version and open_mpi_major.
read_open_mpi_version() {
  local text
  text=$(mpirun --version 2>&1) || true
  [[ $text =~ \(Open\ MPI\)\ (([0-9]+)\.[0-9.]+) ]] || fail 2 "mpirun on the PATH is not Open MPI's:" \
    "'${text%%$'\n'*}'; launch/run knows Open MPI 4 and 5, and srun"
  open_mpi_version=${BASH_REMATCH[1]}
  open_mpi_major=${BASH_REMATCH[2]}
  ((open_mpi_major >= 4)) || fail 2 "Open MPI $open_mpi_version is too old, 4 is the least"
}

# mpirun refuses to run as root, for a mistake of its own would then be root's. That is for whoever
# set the machine up to lift, not for us.
refuse_root() {
  [[ $launcher == mpirun ]] && ((EUID == 0)) || return 0
  [[ -z ${OMPI_ALLOW_RUN_AS_ROOT:-} || -z ${OMPI_ALLOW_RUN_AS_ROOT_CONFIRM:-} ]] || return 0
  fail 2 "you are root, and mpirun refuses to run as root. Use another user; where root is nobody" \
    "special, as in a container of your own, set OMPI_ALLOW_RUN_AS_ROOT=1 and" \
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"
}

# setting OLD NEW VALUE: of mpirun itself, by its name in Open MPI 4 and in 5.
setting() {
  if ((open_mpi_major == 4)); then
    start_words+=(--mca "$1" "$3")
  else
    start_words+=(--prtemca "$2" "$3")
  fi
}

make_mpirun_words() {
  local item
  start_words=(mpirun --hostfile "$scratch/hosts" -np "$ranks")
  add_binding
  if ((open_mpi_major == 4)); then
    start_words+=(--tag-output)
    # Containers forbid the system call behind the single copy; Open MPI complains at each start. Ranks
    # of a node have memory of our own to share.
    [[ -n ${OMPI_MCA_btl_vader_single_copy_mechanism:-} ]] ||
      start_words+=(--mca btl_vader_single_copy_mechanism none)
  else
    start_words+=(--output tag)
  fi
  for item in "${mpi_settings[@]}"; do
    start_words+=(--mca "${item%%=*}" "${item#*=}")
  done
  ((${#remote[@]} == 0)) || add_settings_between_hosts
  add_environment
  # shellcheck disable=SC2206 # words, as they were given
  start_words+=($mpirun_options)
  ((${#remote[@]} == 0)) || add_start_wrapper
}

# Unless told, mpirun binds each of two ranks to one core, and more to a socket each; ranks derive
# their threads from the cores that they may use.
add_binding() {
  if [[ -n $cores_a_rank ]]; then
    start_words+=(--bind-to core --map-by "slot:PE=$cores_a_rank")
  else
    start_words+=(--bind-to none --map-by slot)
  fi
}

add_settings_between_hosts() {
  check_names
  local prefix silence=$(((lost_seconds + 2) / 3)) pause=$(((lost_seconds + 5) / 6))
  # Four questions after a silence.
  setting oob_tcp_keepalive_time oob_tcp_keepalive_time "$silence"
  setting oob_tcp_keepalive_intvl oob_tcp_keepalive_intvl "$pause"
  setting oob_tcp_keepalive_probes oob_tcp_keepalive_probes 4
  [[ -z $interfaces ]] || setting oob_tcp_if_include prte_if_include "$interfaces"
  # Pods are found by their whole name only.
  [[ $world_source != Kubernetes* ]] || setting orte_keep_fqdn_hostnames prte_keep_fqdn_hostnames 1
  make_ssh_words
  ((${#ssh_words[@]} == 1)) || setting plm_rsh_args plm_ssh_args "${ssh_words[*]:1}"
  # On the other hosts mpirun's own daemon is looked for where it is here.
  prefix=$(realpath -- "$(command -v mpirun)")
  prefix=${prefix%/bin/*}
  [[ $prefix == /usr || ! -d $prefix/lib ]] || start_words+=(--prefix "$prefix")
}

# Open MPI 4 ends at other names with "lost communication", as if the host were at fault.
check_names() {
  local name
  ((open_mpi_major == 4)) || return 0
  for name in "$(uname -n)" "${remote[@]}"; do
    [[ $name =~ ^[A-Za-z0-9.-]+$ ]] || fail 2 "Open MPI 4 takes letters, digits, dots and '-' in names of hosts," \
      "and there is '$name'; give its IPv4 address, or use Open MPI 5"
  done
}

# Only mpirun's own variables travel to other hosts by themselves.
add_environment() {
  local name
  while read -r name; do
    case $name in
      CASVIT_* | OMP_* | MKL_* | NCCL_* | UCX_* | LD_LIBRARY_PATH) start_words+=(-x "$name") ;;
    esac
  done < <(compgen -e | sort)
}
