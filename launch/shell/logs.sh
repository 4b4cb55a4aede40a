# shellcheck shell=bash
# What ranks say: taken apart by rank, with rank and host before each line, and kept. Sourced, not run.
#
# mpirun and srun mark each line with its rank. They are taken apart here, on the machine that this is
# called on, rather than by mpirun --output-filename, which writes on the disk of each rank's own host.

# Sets log_folder and says where it is; each start gets a new one.
open_logs() {
  log_folder=''
  if [[ -n $logs ]]; then
    log_folder=$logs
  elif [[ $trains == yes ]]; then
    log_folder="$run_folder/logs/$(date -u +%Y%m%dT%H%M%SZ)"
    [[ ! -e $log_folder ]] || log_folder+="-$$"
  else
    return 0
  fi
  { mkdir -p -- "$log_folder" && : >>"$log_folder/all.log"; } ||
    fail 6 "cannot write logs into $log_folder; elsewhere with --logs FOLDER"
  say "logs: $log_folder/ (all.log, rank-N.log)"
}

# split_lines EVENTS: standard input, to the terminal and the logs. What matters to job.sh is noted in
# the folder EVENTS: started (ranks), up, failed (a rank of casvit_dist says why it ends), abort (exit code),
# exits (codes of ranks), lost (hosts that mpirun names), daemons (mpirun lost one), ssh (hosts that ssh names),
# apart (ranks that could not reach each other when they began).
split_lines() {
  declare -gA log_handles=() # of files in log_folder, by name
  trap '' PIPE # whoever read the terminal's output is gone; the logs go on
  local line tag='\[[^],[]*,([0-9]+)\]<(stdout|stderr)>:'
  [[ ${open_mpi_major:-} != 5 ]] || tag+=' ?'
  while IFS= read -r line || [[ -n $line ]]; do
    split_line "$1" "${line%$'\r'}"
  done
}

split_line() {
  if [[ $launcher == mpirun && ${2#*]<std} == *]\<std* && $2 =~ ^(.+)($tag.*)$ ]]; then
    # The tag of another rank follows where a line was not ended.
    local first=${BASH_REMATCH[1]} rest=${BASH_REMATCH[2]}
    split_line "$1" "$first"
    split_line "$1" "$rest"
  elif [[ $launcher == mpirun && $2 =~ ^$tag(.*)$ ]]; then
    put_rank_line "$1" "${BASH_REMATCH[@]:1:3}"
  elif [[ $launcher == srun && $2 =~ ^\ *([0-9]+):\ ?(.*)$ ]]; then
    put_rank_line "$1" "${BASH_REMATCH[1]}" stdout "${BASH_REMATCH[2]}"
  else
    note_event "$1" "$2"
    put_line stderr "$2"
  fi
}

# put_rank_line EVENTS RANK STREAM TEXT
put_rank_line() {
  local host=${rank_hosts[$2]:-?}
  if [[ $4 == "$started_word" && $tells_start == yes ]]; then
    note_start "$1" "$2"
    return
  fi
  if [[ $2 == 0 && $3 == stdout && -z ${is_up:-} ]]; then
    is_up=yes
    : >"$1/up"
  fi
  [[ ! $4 =~ ^casvit:\ (rank\ [0-9]+\ of|on)\  ]] || : >"$1/failed"
  keep "rank-$2.log" "$4"
  # What a preflight finds is about all ranks.
  if ((ranks == 1)) || [[ $job_kind == preflight && $3 == stdout ]]; then
    put_line "$3" "$4"
  else
    put_line "$3" "[$2 ${host%%.*}] $4"
  fi
}

# put_line STREAM TEXT
put_line() {
  if [[ $1 == stderr ]]; then
    printf '%s\n' "$2" >&2 || true
  else
    printf '%s\n' "$2" 2>/dev/null || true
  fi
  keep all.log "$2"
}

# keep FILE TEXT: a line of a log. Training goes on where logs find no more room.
keep() {
  local handle
  [[ -n $log_folder ]] || return 0
  # The first logs stay open; a process may have about a thousand files.
  if [[ -z ${log_handles[$1]:-} ]] && ((${#log_handles[@]} < 256)); then
    if { exec {handle}>>"$log_folder/$1"; } 2>/dev/null; then
      log_handles[$1]=$handle
    fi
  fi
  if [[ -n ${log_handles[$1]:-} ]]; then
    { printf '%s\n' "$2" >&"${log_handles[$1]}"; } 2>/dev/null || lose_logs "$1"
  else
    printf '%s\n' "$2" 2>/dev/null >>"$log_folder/$1" || lose_logs "$1"
  fi
}

lose_logs() {
  warn "cannot write $log_folder/$1; no more logs are kept"
  log_folder=''
}

# note_event FOLDER LINE: what mpirun and srun themselves say about the end of ranks.
note_event() {
  local host
  if [[ $2 =~ [Ee]rror\ ?code:?\ ([0-9]+) ]]; then
    [[ -e $1/abort ]] || printf '%s\n' "${BASH_REMATCH[1]}" >"$1/abort"
  elif [[ $2 == *"has lost communication with a remote daemon"* ]]; then
    : >>"$1/lost"
  elif [[ -e $1/lost && $2 =~ Remote\ daemon:.*\ on\ node\ ([^ ]+) ]]; then
    host=${BASH_REMATCH[1]}
    printf '%s\n' "$host" >>"$1/lost"
  elif [[ $2 == *"was unable to reliably start one or more daemons"* || # Open MPI 4, then 5
    $2 == *"daemon failed to report back after being spawned"* ]]; then
    : >"$1/daemons"
  elif [[ $2 == *"failed to TCP connect to a peer MPI process"* && ! -e $1/up ]]; then
    : >>"$1/apart"
  elif [[ -e $1/apart && $2 =~ ^\ +Local\ host:\ +([^ ]+) ]]; then
    printf '%s ' "${BASH_REMATCH[1]}" >>"$1/apart"
  elif [[ -e $1/apart && $2 =~ connect\(\)\ to\ ([^ ]+):[0-9]+\ failed ]]; then
    printf 'to %s\n' "${BASH_REMATCH[1]}" >>"$1/apart"
  elif [[ $2 =~ ^Connection\ to\ ([^ ]+)\ closed\ by || $2 =~ ^Timeout,\ server\ ([^ ]+)\ not\ responding ]]; then
    printf '%s\n' "${BASH_REMATCH[1]}" >>"$1/ssh"
  elif [[ $2 =~ ^srun:\ error:.*\ tasks?\ ([0-9,-]+):\ Exited\ with\ exit\ code\ ([0-9]+) ]]; then
    printf '%s\n' "${BASH_REMATCH[2]}" >>"$1/exits"
  fi
}
