#!/bin/bash
# Failures of a relocation at named steps, on two real members: the cases of tests/chaos/relocate (`make chaos-lgr`) that are quick.
# With keys, four of them again over TLS. Each says where the guest must be afterwards; it has lost nothing, and both members tell the same.
set -euo pipefail
ROOT=${ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
"$ROOT/tests/chaos/relocate" --quick
[ -z "${TEST_TMP-}" ] || rm -rf "${TEST_TMP:?}"/*
exec "$ROOT/tests/chaos/relocate" --tls --only '(kill src|flip dst)@S_MOVED|(cut|flip src)@S_STATE'
