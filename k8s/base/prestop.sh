#!/bin/sh
# The preStop hook: a pod that is preempted, evicted or deleted loses no training.
#
#   prestop.sh worker SECONDS    the node drains: no trial is placed here any more, those here leave at a checkpoint
#   prestop.sh head SECONDS      the driver stops all trials at a checkpoint
#
# Ends when they have ended, or after SECONDS. Without it Ray kills the trials, each after its last checkpoint.
# Uses sh, tr and sleep, which every image has that Ray can start in.
set -u
role=$1
limit=$2
proc=${PROC:-/proc} # tests show it only processes of their own

title() {
    { tr '\0' ' ' <"$proc/$1/cmdline"; } 2>/dev/null
}

# The ids of the processes whose command line matches the pattern.
pids_of() {
    for folder in "$proc"/[0-9]*; do
        # shellcheck disable=SC2254
        case $(title "${folder##*/}") in $1) echo "${folder##*/}" ;; esac
    done
}

still_there() {
    for pid in $leaving; do
        # An id may have been given to another process meanwhile.
        # shellcheck disable=SC2254
        case $(title "$pid") in $pattern) return 0 ;; esac
    done
    return 1
}

draining=
case $role in
worker)
    pattern='ray::TrialActor*' # the title that Ray gives to actors of gandist's class
    draining=$(pids_of '*/ray start *') # on SIGTERM it drains its node first
    ;;
head) pattern='*python*gandist run *' ;; # the command, or python -m gandist
*)
    echo "prestop.sh: worker or head, not $role" >&2
    exit 2
    ;;
esac
leaving=$(pids_of "$pattern")

for pid in $draining $leaving; do
    kill -TERM "$pid" 2>/dev/null
done

waited=0
while still_there; do
    if [ "$waited" -ge "$limit" ]; then
        echo "prestop.sh: not ended after $limit s:" $leaving >&2 # Kubernetes shows it as an event
        exit 1
    fi
    sleep 1
    waited=$((waited + 1))
done
