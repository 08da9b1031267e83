/* Program interruptions one right after the other, a handler between each two: no loop.
 * The handler counts to 1000 and goes back to the same invalid instruction each time; a machine
 * that takes this for a program-interruption loop ends with another status. */
    .globl  _start
_start:
    j       begin
    .org    0x600                   /* clear of the command line that QEMU puts at 0x10480 */
begin:
    larl    %r1, new_psw
    mvc     464(16), 0(%r1)
    lghi    %r2, 0
invalid:
    .short  0x0000
fail:
    larl    %r1, failed
    lpswe   0(%r1)

handler:
    aghi    %r2, 1
    cghi    %r2, 1000
    je      done
    larl    %r1, back
    lpswe   0(%r1)
done:
    larl    %r1, passed
    lpswe   0(%r1)

    .balign 8
new_psw:
    .quad   0x0000000180000000, handler
back:
    .quad   0x0000000180000000, invalid
passed:
    .quad   0x0002000180000000, 0
failed:
    .quad   0x0002000180000000, 1
