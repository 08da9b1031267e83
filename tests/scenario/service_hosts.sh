#!/bin/bash
# endicott service apply for a member on another host, of which only the shared folder and the link are seen from here (its
# run-time folder is another one): it is emptied and ended by AT, and the command starts it there.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
. "$ROOT/tests/lib/ticker.sh"
cluster=$TEST_TMP/two
sample two "$cluster"
export TEST_TMP ENDICOTT
host2() { ENDICOTT_RUN=$TEST_TMP/run2 endicott "$@"; }
before_cleanup() { timeout 60 bash -c 'ENDICOTT_RUN=$TEST_TMP/run2 "$ENDICOTT" stop MEMBERB --immediate' >/dev/null 2>&1 || true; }
cp_on() { # member, command...: that of the other host through the one here
    if [ "$1" = MEMBERA ]; then endicott cp -m MEMBERA "${@:2}"; else endicott cp -m MEMBERA AT "$1" CMD "${@:2}"; fi
}
pid_there() { host2 status --json | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["pid"])'; }
expect 0 'MEMBERA is ready' endicott start "$cluster" MEMBERA
expect 0 'MEMBERB is ready' host2 start "$cluster" MEMBERB
ticker MEMBERA LINUX1 LINUX2
moved LINUX2 MEMBERA MEMBERB
two=$count
before=$(pid_there)
expect 2 'MEMBERB runs on another host: --command has to start it there' endicott service apply "$cluster"
expect 0 'done +2 of 2 members' endicott service apply "$cluster" --command \
    '[ $ENDICOTT_MEMBER = MEMBERA ] || ENDICOTT_RUN=$TEST_TMP/run2 "$ENDICOTT" start "$ENDICOTT_DIR" $ENDICOTT_MEMBER'
[ "$(pid_there)" != "$before" ] || fail 'MEMBERB has not been started anew'
goes_on MEMBERA LINUX1
goes_on MEMBERB LINUX2 "$two"
expect 0 'has ended' host2 stop MEMBERB
expect 0 'has ended' endicott stop MEMBERA
echo "service_hosts: passed"
