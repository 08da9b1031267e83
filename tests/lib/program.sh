# Sourced by scenario tests: tiny s390x programs from assembler text, as an ELF file, a raw image with
# a PSW at 0, or a deck of cards to IPL from a reader. Wants TEST_TMP and fail().

CROSS_CC=${S390X_CC:-s390x-linux-gnu-gcc}
CROSS_OBJCOPY=${S390X_OBJCOPY:-s390x-linux-gnu-objcopy}

# elf FILE <assembler text>: ELF64, entered at _start, X'10000'
elf() {
    cat >"$1.S"
    "$CROSS_CC" -march=z196 -nostdlib -static -fno-pic -no-pie -Wl,-Ttext=0x10000 \
        -Wl,--build-id=none -Wl,--no-warn-rwx-segments -o "$1" "$1.S" || fail "$1: not assembled"
}

# raw FILE <assembler text>: its first byte is at absolute 0
raw() {
    cat >"$1.S"
    "$CROSS_CC" -march=z196 -nostdlib -static -fno-pic -no-pie -Wl,-Ttext=0 -Wl,-e,0 \
        -Wl,--build-id=none -Wl,--no-warn-rwx-segments -o "$1.elf" "$1.S" &&
        "$CROSS_OBJCOPY" -O binary "$1.elf" "$1" || fail "$1: not assembled"
}

# deck FILE <assembler text>: the text is loaded at X'200' and entered there in 64-bit mode. Card 1
# has the IPL PSW and two CCWs: read card 2, the channel program for the other cards, and go there.
# At most X'320' bytes.
deck() {
    cat >"$1.text"
    raw "$1.body" <<EOT
        .org 0x200
        sam64
$(cat "$1.text")
        .org 0x520
EOT
    python3 - "$1.body" "$1" <<'PYTHON'
import struct, sys
CC, SLI = 0x40, 0x20
body = open(sys.argv[1], "rb").read()[0x200:]
cards = [body[i:i + 80].ljust(80, b"\0") for i in range(0, len(body), 80)]
ccw = lambda code, at, flags, count: struct.pack(">IBBH", code << 24 | at, flags, 0, count)
reads = [ccw(2, 0x200 + 80 * i, CC | SLI, 80) for i in range(len(cards))]
reads[-1] = ccw(2, 0x200 + 80 * (len(cards) - 1), SLI, 80)
# Card 2, the channel program, goes to X'100' and is entered by TIC.
assert len(reads) <= 10, "the deck is too long"
first = struct.pack(">II", 0x00080000, 0x80000200) + ccw(2, 0x100, CC | SLI, 80) + ccw(8, 0x100, 0, 0)
open(sys.argv[2], "wb").write(b"".join(c.ljust(80, b"\0") for c in [first, b"".join(reads)] + cards))
PYTHON
    [ -s "$1" ] || fail "$1: no deck"
}

