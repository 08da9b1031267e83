#!/bin/bash
# scenario/relocate_soak with LGR_MOVES (1000) relocations.
set -euo pipefail
export LGR_MOVES=${LGR_MOVES:-1000}
exec "$(dirname "$0")/../scenario/relocate_soak.sh"
