/* A guest for tests/bench/display: on each attention of its 3270 display it reads it and writes a
 * whole screen, by interruptions, out of an enabled wait. The display is subchannel 0.0000. */

.machine z10
.globl _start
.org 0x1f0                      # I/O new PSW
.quad 0x0000000180000000
.quad interrupted
.org 0x1000
_start:
    larl %r12, data
    lg %r0, isc_mask-data(%r12)
    stg %r0, work-data(%r12)
    lctlg %c6, %c6, work-data(%r12)
    lgfi %r1, 0x10000
    stsch schib-data(%r12)
    oi schib+5-data(%r12), 0x80
    msch schib-data(%r12)
    larl %r2, screen
    lghi %r3, 24 * 80
    mvi 0(%r2), 0x5c
fill:
    mvc 1(1, %r2), 0(%r2)
    aghi %r2, 1
    brctg %r3, fill
rest:
    lpswe waiting-data(%r12)
interrupted:
    tsch irb-data(%r12)
    tm irb+8-data(%r12), 0x80   # attention
    jz rest
    ssch orb-data(%r12)
    j rest

.align 8
data:
waiting: .quad 0x0202000180000000, 0
isc_mask: .quad 0x00000000ff000000
work: .quad 0
orb: .long 0x3270, 0x0080ff00, program, 0, 0, 0, 0, 0
.align 8
program:                        # read modified; write, with the keyboard restored
    .byte 0x06, 0x60
    .short 256
    .long input
    .byte 0x01, 0x20
    .short 24 * 80 + 4
    .long output
schib: .skip 56
irb: .skip 96
input: .skip 256
output: .byte 0xc3, 0x11, 0x40, 0x40
screen: .skip 24 * 80 + 8
