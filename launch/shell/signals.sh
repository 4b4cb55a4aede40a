# shellcheck shell=bash
# SIGTERM and the like, from a scheduler or the keyboard. Sourced, not run.
#
# mpirun gives ranks about a second after SIGTERM or Ctrl-C before it kills them: too short to save in.
# SIGUSR1 it hands on without that limit. Before ranks have their handlers USR1 would kill them, so it
# is held back until rank 0 has said something, for by then all have met.

# Sets signals_seen: how many came; the first one is passed on by run_job.
# shellcheck disable=SC2034 # job.sh reads passed_on
listen_for_signals() {
  signals_seen=0 job='' passed_on=no
  trap 'on_signal TERM' TERM
  trap 'on_signal INT' INT
  trap 'on_signal HUP' HUP
  trap 'on_signal USR1' USR1
}

on_signal() {
  [[ $BASHPID == "$$" ]] || exit 143 # clean_up says why
  signals_seen=$((signals_seen + 1))
  first_signal_at=${first_signal_at:-$SECONDS}
  if [[ -z $job ]]; then
    fail 75 "SIG$1 before any rank was started; nothing was trained"
  elif ((signals_seen == 1)); then
    say "SIG$1: ranks will save and leave with exit code 75; a second signal is final"
  elif ((SECONDS >= first_signal_at + 2)); then # sooner, it is the same wish by another way
    warn "SIG$1 again: ending the ranks now"
    end_job
  fi
}

# pass_on EVENTS: the first signal, once the ranks are up.
pass_on() {
  [[ $passed_on == no ]] && ((signals_seen > 0)) || return 0
  if [[ $job_kind == preflight || $trains == no ]]; then
    passed_on=yes
    end_job
  elif [[ -e $1/up ]]; then
    passed_on=yes
    kill -USR1 "$job" 2>/dev/null || true
  fi
}

# Ends mpirun or srun, and with it the ranks.
end_job() {
  is_final=yes
  # mpirun has TERM blocked (job.sh). srun takes a second INT within a second for an order.
  kill -INT "$job" 2>/dev/null || true
  if [[ $launcher == srun ]]; then
    pause 0.1
    kill -INT "$job" 2>/dev/null || true
  fi
}

# pause SECONDS: sleeps, and hears signals meanwhile. With an ended job it is over at once.
pause() {
  local sleeper
  sleep "$1" &
  sleeper=$!
  wait -n ${job:+"$job"} "$sleeper" 2>/dev/null || true
  kill "$sleeper" 2>/dev/null || true
}
