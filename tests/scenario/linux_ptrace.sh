#!/bin/bash
# A debugger's view in Linux: single steps, block steps and a watched variable, all of which the kernel
# does with program-event recording (PoP chapter 4), in the problem state with DAT on.
set -euo pipefail
. "$(dirname "$0")/../lib/oracle.sh"
cd "$TEST_TMP"

"$guest/native/steps" >expected
on_endicott actual steps
tr -d '\r' <actual >lines
same "the traced process" expected lines
