#!/bin/bash
# Debian's qeth for long: 200 MB each way by digest, a hundred rounds of recovery, interfaces down and up and devices off and on in
# the middle of traffic, with OSA and HiperSockets in both layers; a hundred times down and up in layer 2, modules out and in, a guest
# reset in the middle of traffic (scenario/net_layers and net_ipl, larger).
set -euo pipefail
ROOT=${ROOT:-$(cd "$(dirname "$0")/../.." && pwd)}
export ROOT
mkdir "$TEST_TMP/layers" "$TEST_TMP/ipl"
TEST_TMP=$TEST_TMP/layers NET_MEGABYTES=${NET_MEGABYTES:-200} NET_ROUNDS=${NET_ROUNDS:-100} NET_MEMORY=1G NET_SECONDS=3600 "$ROOT/tests/scenario/net_layers.sh"
TEST_TMP=$TEST_TMP/ipl NET_MEGABYTES=${NET_MEGABYTES:-200} NET_UPS=100 NET_SECONDS=3600 "$ROOT/tests/scenario/net_ipl.sh"
