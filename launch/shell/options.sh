# shellcheck shell=bash
# The command line of launch/run. Sourced, not run.

# need_value OPTION VALUE...: fails where the option was the last word.
need_value() { [[ -n ${2:-} ]] || fail 2 "$1 needs a value; see launch/run --help"; }

# need_number OPTION VALUE...
need_number() {
  need_value "$@"
  [[ $2 =~ ^[1-9][0-9]{0,6}$ ]] || fail 2 "$1 needs a whole number above 0, not '$2'"
}

# Sets what the options say, and `command`, the words from the program on.
# shellcheck disable=SC2034 # the other pieces read them
parse_options() {
  asked_ranks='' asked_hosts='' asked_hostfile='' wait_seconds=300 ssh_options='' interfaces=''
  start_seconds=60 lost_seconds=30 end_seconds=20
  cores_a_rank='' threads='' asked_launcher='' mpirun_options='' logs='' dry_run=no
  while (($# > 0)); do
    case $1 in
      -h | --help)
        print_help "$here/run"
        exit 0
        ;;
      -n | -np) need_number "$@" && asked_ranks=$2 && shift ;;
      --hosts) need_value "$@" && asked_hosts=$2 && shift ;;
      --hostfile) need_value "$@" && asked_hostfile=$2 && shift ;;
      --wait) need_number "$@" && wait_seconds=$2 && shift ;;
      --start-wait) need_number "$@" && start_seconds=$2 && shift ;;
      --lost-after) need_number "$@" && lost_seconds=$2 && shift ;;
      --end-wait) need_number "$@" && end_seconds=$2 && shift ;;
      --ssh-args) need_value "$@" && ssh_options=$2 && shift ;;
      --interfaces) need_value "$@" && interfaces=${2// /} && shift ;;
      --cores) need_number "$@" && cores_a_rank=$2 && shift ;;
      --threads) need_number "$@" && threads=$2 && shift ;;
      --with) need_value "$@" && asked_launcher=$2 && shift ;;
      --mpirun-args) need_value "$@" && mpirun_options=$2 && shift ;;
      --logs) need_value "$@" && logs=$2 && shift ;;
      --dry-run) dry_run=yes ;;
      --)
        shift
        break
        ;;
      -*) fail 2 "unknown option $1; see launch/run --help" ;;
      *) break ;;
    esac
    shift
  done
  (($# > 0)) || fail 2 "no program to run, for example" \
    "launch/run casvit_dist train --config recipe.yaml; see launch/run --help"
  [[ -z $asked_hosts || -z $asked_hostfile ]] ||
    fail 2 "--hosts and --hostfile both say where ranks run; give one"
  [[ -z $asked_launcher || $asked_launcher == mpirun || $asked_launcher == srun ]] ||
    fail 2 "--with takes mpirun or srun, not '$asked_launcher'"
  command=("$@")
}
