#!/bin/bash
# scenario/net_members with NET_MOVES (50) relocations under streams and a session.
set -euo pipefail
export NET_MOVES=${NET_MOVES:-50}
exec "$(dirname "$0")/../scenario/net_members.sh"
