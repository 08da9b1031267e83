#!/bin/bash
# seeds.sh NAME FOLDER COMMAND [DICTIONARY]: inputs that the fuzz target NAME begins with, into the folder, and its words, one a line as
# libFuzzer takes them. COMMAND runs the target (a relocation is recorded by it).
set -euo pipefail
name=${1:?name of a target} corpus=${2:?folder} command=${3:?command} words=${4:-/dev/null}
mkdir -p "$corpus"
corpus=$(realpath "$corpus")
cd "$(dirname "$0")/../.."
dictionary() { # of the words that a regular expression finds in files
    grep -ohE "$@" | tr a-z A-Z | sort -u | sed 's/.*/"&"/' >"$words"
}
case $name in
image)
    for options in "--format cckd" "--format cckd --linux --volume FUZZ01" "--format cckd --compress none" "--format ckd"; do
        file=$corpus/seed.$(echo "$options" | tr -d ' -')
        # shellcheck disable=SC2086
        [ -e "$file" ] || "${ENDICOTT:-build/endicott}" dasd init "$file" --cylinders 1 $options >/dev/null
        truncate -s "<65536" "$file"
    done
    ;;
cp)
    cp tests/fuzz/corpus/cp/* "$corpus"
    dictionary '[A-Z][A-Za-z0-9]+' hyp/cp/cp_cmd.def hyp/cp/dirmaint.def
    ;;
control)
    cp tests/fuzz/corpus/control/* "$corpus"
    grep -ohE '"[a-z_.]+"' cli/control.def cli/control_*.c | sort -u >"$words"
    ;;
channel) # two adapters, enabled; set extended and write, control and read, prepare and sense, file end; halt, clear, another machine
    both='\x06\xf8\0\x80\x80\0\xff\0\0\0\0\0\x06\xf9\0\x80\x80\0\xff\0\0\0\0\0'
    both+='\0\0\0\4\0\x1f\xc3\x60\0\1\0\0\x08\0\1\x20\0\x10\0\0\x08\0\7\x60\0\1\0\0\x08\0\2\x20\0\x20\0\0\x09\0'
    both+='\0\0\0\4\x20\x1f\xe3\x60\0\1\0\0\x08\0\x14\x20\0\1\0\0\x09\0\x81\x20\0\1\0\0\x08\0\x43\x20\0\1\0\0\x08\0'
    both+='\0\0\0\4\x40\7\3\x20\0\1\0\0\x08\0' # no-operation: both are ready
    start() { printf '\\3\\x%s\\0\\0\\0\\0\\0\\x80\\xff\\0\\0\\0\\4\\x%s' "$1" "$2"; }
    ends='\7\xf8\7\xf9\7\xf8\7\xf9'
    both+="$(start f8 40)$(start f9 40)$ends"
    printf "$both$(start f8 00)$ends$(start f9 18)$ends\x0f$ends" >"$corpus/seed.block"
    printf "$both$(start f8 10)$ends\x0f$(start f9 08)\x0f$ends$ends" >"$corpus/seed.control"
    printf "$both$(start f9 20)$(start f8 00)$ends$(start f9 18)$(start f8 30)$ends" >"$corpus/seed.prepare"
    printf "$both$(start f8 00)\x09\0\xf8$ends$(start f9 18)\x09\1\xf8$ends$(start f8 38)$ends" >"$corpus/seed.halt"
    ;;
osa) # both adapters up in each layer, buffers, a frame, a packet, state that comes back
    for up in '\x05\x07\x00\x85\x07\x00' '\x05\x04\x00\x85\x05\x00'; do
        printf "$up"'\x06\x80\x00\x86\x81\x00\x0a\x04\x40\x07\x08\x00\x64\x20\x06\x0f\x00\x0a' >"$corpus/seed.$(printf "$up" | md5sum | cut -c 1-8)"
    done
    ;;
snapshot) # a head of every row, with a chunk that is stored, is packed, is empty; of nothing at all
    rows='\x80\1\0\0\0\2L1\0\2\0\0\0\1M\x80\3\0\0\0\x08\0\0\0\0\0\0\0\1\x80\4\0\0\0\x08\0\0\0\0\0\x40\0\0'
    rows+='\x80\5\0\0\0\4\0\0\0\1\x80\6\0\0\0\1G\x80\7\0\0\0\1D\x80\x08\0\0\0\1S'
    chunk() { # number, bytes, packing, first byte of both sets of frames
        printf '\\0\\0\\0\\%s%s\\%s\\0\\0\\0' "$1" "$2" "$3"
        printf '\\0%.0s' {1..8}
        for set in 1 2; do printf '\\x%s' "$4" && printf '\\0%.0s' {1..63}; done
    }
    printf '\1\x07'"$rows"'\x80\x09\0\0\0\x94'"$(chunk 0 '\0\0\0\x20' 2 c0)"'\x1fA\1\0\xff\xff\xff\xff' >"$corpus/seed.packed"
    { printf '\1\x07'"$rows"'\x80\x09\0\0\0\x94'"$(chunk 1 '\0\0\x10\0' 1 80)" && head -c 4096 docs/fuzzing.md; } >"$corpus/seed.stored"
    printf '\1\x9b'"$rows"'\x80\x09\0\0\1\x28'"$(chunk 0 '\0\0\0\0' 0 00)$(chunk 1 '\0\0\0\0' 0 00)" >"$corpus/seed.empty"
    printf '\0\x43'"$rows" >"$corpus/seed.rows"
    ;;
ssi) # a stranger's HELLO as a member's, and as a stream's; a peer that sends each type of frame on both kinds of connections
    names='\x80\1\0\0\0\6SIMSSI\x80\2\0\0\0\2M1\x80\3\0\0\0\1\1\x80\4\0\0\0\1'
    tail='\x80\5\0\0\0\4\0\0\0\0\x80\6\0\0\0\x08\0\0\0\0\0\0\0\1\x80\7\0\0\0\x08\0\0\0\0\0\0\0\1'
    for purpose in 1 2 3; do
        printf '\0\0\2\1\1\0\0\0\0\0\x51'"$names"'\'"$purpose$tail" >"$corpus/seed.hello$purpose"
    done
    for type in 1 2 3 4 5 6 7 8 9 a b c; do
        printf '\1\4\x0'"$type"'\2\0\x08\0\0\0\0\0\0\0\0\0\5\x0'"$type"'\2\0\x08\0\0\0\0\0\0\0\0\0\7\x20' >"$corpus/seed.type$type"
    done
    ;;
pdr) # each area spoiled, with right checksums and without; leases that are locked, written, read, passed over, spoiled; members likewise
    for op in 00 04 30 31 02 03 40 44 70 71 42 43; do
        printf "\\1\\0\\x$op"'\0\x10\1\xff' >"$corpus/seed.record$op"
    done
    printf '\1\xff\x80\0\0\x08ENDCPDR1\xc0\0\x08\4\0\0\0\2' >"$corpus/seed.blank"
    printf '\2\0\0\3\x41\5\1\2\0\x10\0\5\1\x13\x42\x12\0\7\xff' >"$corpus/seed.turns"
    printf '\2\0\0\3\x43\x10\xff\x15\3\x13\x47\3\x45\2\0\0\0\x29\6\0\x27\xff\0\1' >"$corpus/seed.passed"
    printf '\2\x0a\1\0\x20\1\1\x10\3\x0c\x10\0\x1a\x47\0\x18\1\x40\0\5\x0d\0\0\x4d\0\0\x0f\3' >"$corpus/seed.sectors"
    for op in 00 01 02 03 40 41 42 43; do
        printf "\\0\\0\\x$op"'\1\0\x90\1\7\x30\x40\x24\x2c\x10\x34\xff\x20\x28\x3c\xff' >"$corpus/seed.members$op"
    done
    ;;
lgr) # a relocation that comes about
    FUZZ_RECORD=$corpus/seed.good $command >/dev/null 2>&1
    ;;
uplink) # of each kind: frames out and in, whole and in parts, a peer that goes and comes back; a packet for slirp
    for kind in 0 1 2 3; do
        printf "\\x0$kind"'\x03\x81\x02\x00\x0c\x02\x1c\x3c\x0c\x03\x40\x60\x0c\x0c\x05\x01\x07\x04\x00\x07\x04\x00\x05\x00\x05\x00\x03\x01\x40\x0c' \
            >"$corpus/seed.$kind"
    done
    printf '\x04\x06\x00\x1c\0\1\x08\0\6\4\0\1\2\0\0\0\0\1\x0a\0\2\x0f\0\0\0\0\0\0\x0a\0\2\2\x06\x1d\x30' >"$corpus/seed.4"
    printf '\x05\x01net=10.1.0.0/24,mac=02-00-00-00-00-01' >"$corpus/seed.5"
    ;;
diag8) # flags, registers, length, room, lines, their length, command in EBCDIC; now and later, with and without a response
    printf '\x03\x24\0\0\0\1\0\3\x14\xd8\xe4\xc5\xd9\xe8\x40\x15\xd8\x15\x15' >"$corpus/seed.response"
    printf '\x21\x68\0\0\0\0\x40\xff\xff\xc1\x15\x25\xc2' >"$corpus/seed.long"
    printf '\x0c\x24\0\0\x20\0\0\1\1\xd8' >"$corpus/seed.end"
    ;;
esac
if [ "$name" = config ]; then # first byte: P, Q directory, R system.config, S hardware file
    for file in docs/samples/*/user.direct docs/samples/*/system.config docs/samples/*/hardware/*.cnf; do
        case $file in *.direct) kind=P ;; *.config) kind=R ;; *) kind=S ;; esac
        { printf $kind && head -c 4000 "$file"; } >"$corpus/seed.$(echo "$file" | tr / .)"
    done
    dictionary '[A-Z][A-Za-z0-9_-]+' hyp/config/directory_stmt.def hyp/config/config_stmt.def
fi
