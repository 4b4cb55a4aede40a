# shellcheck shell=bash
# What is run, and what casvit_dist gets beyond other programs: a preflight, and to know its world.
# Sourced, not run.

# Sets program_words (`command` with the program's whole path: ranks elsewhere have another PATH),
# is_ours, trains, configuration_words and run_folder.
find_program() {
  local name=${command[0]} path
  path=$(type -P -- "$name") || path="$here/../build/release/bin/$name"
  [[ -f $path && -x $path ]] || fail 2 "there is no program $name on the PATH" \
    "(nor in build/release/bin); see launch/run --help"
  path=$(realpath --no-symlinks -- "$path")
  program_words=("$path" "${command[@]:1}")
  is_ours=no trains=no takes_settings=no configuration_words=() run_folder=''
  [[ ${path##*/} != casvit_dist ]] || find_command
}

# casvit_dist's own command line.
find_command() {
  is_ours=yes
  local name=${command[1]:-train}
  case $name in
    -h | --help | --help-all | --version) return ;;
    -*) name=train ;;
    bench) name="bench ${command[2]:-}" ;;
  esac
  case $name in
    train) trains=yes takes_settings=yes ;;
    eval | preflight | lr-find | 'bench step' | 'bench data') takes_settings=yes ;;
    import | export | config) fail 2 "casvit_dist $name runs alone, without launch/run" ;;
  esac
  # With --help and the like nothing is trained.
  local word
  for word in "${command[@]:1}"; do
    [[ $word != -h && $word != --help ]] || trains=no takes_settings=no
  done
  read_arguments
  if [[ $trains == yes ]]; then
    preflight_words=("${program_words[0]}" preflight "${configuration_words[@]}" --out "$run_folder")
  fi
}

# Sets configuration_words (--config and --set) and run_folder.
read_arguments() {
  local index name value config='' out=''
  for ((index = 1; index < ${#command[@]}; index++)); do
    name=${command[index]} value=${command[index + 1]:-}
    if [[ $name == --?*=* ]]; then
      value=${name#*=} name=${name%%=*}
    fi
    case $name in
      --config) config=$value && configuration_words+=(--config "$value") ;;
      --set) configuration_words+=(--set "$value") ;;
      --out) out=$value ;;
    esac
  done
  config=${config##*/}
  run_folder=${out:-runs/$([[ -n $config ]] && printf '%s' "${config%.*}" || printf casvit)}
}

# The effective configuration, or its error and exit code.
read_configuration() {
  [[ -z ${configuration+set} ]] || return 0
  local words=("${program_words[0]}" config "${configuration_words[@]}") code=0
  # As casvit_dist train does.
  [[ " ${configuration_words[*]} " == *" --config "* || ! -f casvit.yaml ]] ||
    words+=(--config casvit.yaml)
  configuration=$("${words[@]}") || code=$?
  ((code == 0)) || fail "$code" "casvit_dist cannot read the configuration; the reason is above"
}

# configured KEY: a number of the effective configuration, by the last part of its name.
configured() { sed -n "s/^  $1: \([0-9]*\).*/\1/p" <<<"$configuration"; }

# Tells casvit_dist what world it is meant for, where the configuration does not say.
read_expectations() {
  local settings=()
  if [[ $is_ours == yes && $takes_settings == yes ]]; then
    read_configuration
    (($(configured expect_ranks) > 0)) || settings+=(--set "launch.expect_ranks=$ranks")
    (($(configured expect_hosts) > 0)) || settings+=(--set "launch.expect_hosts=$hosts_in_use")
    [[ -z $threads ]] || settings+=(--set "launch.threads=$threads")
    program_words+=("${settings[@]}")
    [[ $trains == no ]] || preflight_words+=("${settings[@]}")
  elif [[ -n $threads ]]; then
    export OMP_NUM_THREADS=$threads
  fi
}
