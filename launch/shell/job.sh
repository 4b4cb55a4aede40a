# shellcheck shell=bash
# One start of all ranks, to its end and exit code. Sourced, not run.

# Whatever ends this script leaves no ranks behind. A child of it that is ended before it becomes another
# program (pause) is still this script, and would do that in its name.
clean_up() {
  [[ $BASHPID == "$$" ]] || return 0
  [[ -z ${job:-} ]] || kill -INT "$job" 2>/dev/null || true
  rm -rf -- "$scratch"
}

# run_job KIND COMMAND...: sets job_code.
run_job() {
  local events="$scratch/$1" splitter began=$SECONDS ending='' killed=no
  job_kind=$1
  log_folder=${log_folder:-}
  shift
  mkdir -- "$events"
  mkfifo -- "$events/output"
  is_final=no
  # Another session, so that Ctrl-C comes to us alone. And TERM blocked, which a scheduler may send to
  # every process: mpirun would kill the ranks while they save. Ranks themselves have it unblocked. If
  # somebody kills us (kill -9), the ranks save and leave.
  setsid setpriv --pdeathsig USR1 env --default-signal=INT,QUIT --block-signal=TERM "$@" </dev/null >"$events/output" 2>&1 &
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
    if [[ $killed == no ]] && is_late_start "$events" "$began"; then
      killed=yes
      explain_no_start "$events"
      kill -KILL -- "-$job" "$job" 2>/dev/null || true
    fi
    # mpirun waits for ever for the word of a host that nothing reaches any more.
    if [[ -n $ending && $killed == no ]] && ((SECONDS > ending + end_seconds)); then
      warn "$launcher has not ended within $end_seconds s (--end-wait); ending it"
      killed=yes
      kill -KILL -- "-$job" "$job" 2>/dev/null || true # with the ssh that it started
    fi
  done
  job_code=0
  wait "$job" 2>/dev/null || job_code=$?
  job=''
  end_splitter "$splitter"
  judge "$events"
  # The launcher found no end, or no beginning: it waited for a host.
  [[ $killed == no ]] || is_ours_code "$job_code" || job_code=5
  if ((signals_seen > 0)) && [[ $job_kind == preflight ]]; then
    fail 75 "interrupted before the ranks trained"
  fi
}

is_ending() {
  [[ -e $1/failed || -e $1/abort || -e $1/lost || -e $1/daemons || -e $1/apart || $is_final == yes ]]
}

# is_late_start EVENTS BEGAN
is_late_start() {
  [[ $tells_start == yes ]] && ((SECONDS > $2 + start_seconds)) && ! is_ending "$1" && ! have_started "$1"
}

# Lets it come to the end of what the ranks said. Something that the job left behind may hold the pipe open:
# then it reads nothing for 5 s.
end_splitter() {
  local quiet=0 read_before='' read_now
  while kill -0 "$1" 2>/dev/null && ((quiet < 50)); do
    sleep 0.1
    read_now=$(head -n 1 "/proc/$1/io" 2>/dev/null || true)
    [[ $read_now == "$read_before" ]] && quiet=$((quiet + 1)) || quiet=0
    read_before=$read_now
  done
  kill -KILL "$1" 2>/dev/null || true
}
