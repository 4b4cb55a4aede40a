# shellcheck shell=bash
# One start of all ranks, to its end and exit code. Sourced, not run.

# How long mpirun may take to end once a rank has failed or a host is lost. It waits for ever for the
# word of a host that nothing reaches any more.
end_seconds=20

# Whatever ends this script leaves no ranks behind.
clean_up() {
  [[ -z ${job:-} ]] || kill -INT "$job" 2>/dev/null || true
  rm -rf -- "$scratch"
}

# run_job KIND COMMAND...: sets job_code.
run_job() {
  local events="$scratch/$1" splitter ending='' killed=no
  job_kind=$1
  log_folder=${log_folder:-}
  shift
  mkdir -- "$events"
  mkfifo -- "$events/output"
  is_final=no
  # Another session, so that Ctrl-C comes to us alone. And TERM blocked, which a scheduler may send to
  # every process: mpirun would kill the ranks while they save. Ranks themselves have it unblocked.
  setsid env --default-signal=INT,QUIT --block-signal=TERM "$@" </dev/null >"$events/output" 2>&1 &
  job=$!
  # Its reader ends with its writer, not before.
  (
    trap '' TERM INT HUP USR1
    split_lines "$events"
  ) <"$events/output" &
  splitter=$!
  disown "$splitter" # so that bash has no word to say when it must be killed
  while kill -0 "$job" 2>/dev/null; do
    pause 1
    pass_on "$events"
    if [[ -z $ending ]] && is_ending "$events"; then
      ending=$SECONDS
    fi
    if [[ -n $ending && $killed == no ]] && ((SECONDS > ending + end_seconds)); then
      warn "$launcher has not ended $end_seconds s after its ranks did; ending it"
      killed=yes
      kill -KILL -- "-$job" "$job" 2>/dev/null || true # with the ssh that it started
    fi
  done
  job_code=0
  wait "$job" 2>/dev/null || job_code=$?
  job=''
  end_splitter "$splitter"
  judge "$events"
  # Ranks failed, and the launcher found no end: it waited for a host.
  [[ $killed == no ]] || is_ours_code "$job_code" || job_code=5
  if ((signals_seen > 0)) && [[ $job_kind == preflight ]]; then
    fail 75 "interrupted before the ranks trained"
  fi
}

is_ending() {
  [[ -e $1/failed || -e $1/abort || -e $1/lost || $is_final == yes ]]
}

# Something that the job left behind may hold the pipe open.
end_splitter() {
  local tries
  for ((tries = 0; tries < 50; tries++)); do
    kill -0 "$1" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -KILL "$1" 2>/dev/null || true
}

is_ours_code() { [[ $1 =~ ^(0|2|3|4|5|6|70|75)$ ]]; }

# is_final_word EVENTS: whether job_code is a code of the program's. mpirun of Open MPI 5 returns 0 when it
# has lost a host.
is_final_word() {
  is_ours_code "$job_code" || return 1
  [[ $job_code != 0 ]] || ! [[ -e $1/lost || -e $1/failed || -e $1/abort ]]
}

# judge EVENTS: sets job_code to the program's exit code, where the launcher returned one of its own.
judge() {
  local events=$1 code
  if is_final_word "$events"; then
    return 0
  elif [[ -e $events/lost ]]; then
    warn "lost: $(sort -u "$events/lost" | paste -sd ' '), which nothing reaches any more (exit code" \
      "$job_code of $launcher is 5 here)"
    job_code=5
  elif [[ -e $events/abort ]]; then
    job_code=$(<"$events/abort")
  elif [[ -e $events/exits ]]; then
    # srun returns the largest, which is that of a rank killed for another's sake.
    while read -r code; do
      if is_ours_code "$code" && ! is_ours_code "$job_code"; then job_code=$code; fi
    done <"$events/exits"
  elif [[ $job_code == 0 ]]; then # a rank failed, nobody said how
    job_code=5
  fi
  if [[ $is_ours == yes && ! -e $events/up && ! -e $events/failed ]] && ((hosts_in_use > 1)) &&
    ! is_ours_code "$job_code" && [[ $is_final == no ]]; then
    warn "$launcher did not get ranks going on $hosts_in_use hosts (its exit code $job_code is 5 here)"
    job_code=5
  fi
  if [[ $is_final == yes ]] && ! is_ours_code "$job_code"; then
    job_code=143
  fi
}
