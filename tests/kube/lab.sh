#!/bin/sh
# Stops and starts programs of the cluster lab, from within. What ends without `stop`, the lab starts again.
set -eu

usage() {
  echo "usage: lab stop|start|restart NAME [SIGNAL]" >&2
  echo "names: $(ls /run/lab/pids | tr '\n' ' ')" >&2
  exit 2
}

stop() {
  pid=$(cat "/run/lab/pids/$1")
  touch "/run/lab/stopped/$1"
  kill -s "$2" "$pid" 2> /dev/null || true
  while kill -0 "$pid" 2> /dev/null; do sleep 0.05; done
}

# Ends when the program runs, which is before it serves.
start() {
  before=$(cat "/run/lab/pids/$1")
  rm -f "/run/lab/stopped/$1"
  while [ "$(cat "/run/lab/pids/$1")" = "$before" ]; do sleep 0.05; done
}

[ $# -ge 2 ] && [ -e "/run/lab/pids/$2" ] || usage
case $1 in
  stop) stop "$2" "${3:-KILL}" ;;
  start) [ ! -e "/run/lab/stopped/$2" ] || start "$2" ;;
  restart) stop "$2" "${3:-KILL}"; start "$2" ;;
  *) usage ;;
esac
