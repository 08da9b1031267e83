/* Control flow: setjmp, signals with and without a stack of their own, recursion, variable
 * arguments, function pointers, big switches, division by zero and a null pointer caught. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "programs.h"

static sigjmp_buf back;
static volatile sig_atomic_t caught, on_own_stack;
static char own_stack[65536];

static void handler(int number, siginfo_t *info, void *context)
{
    char here;
    (void)context;
    caught = number;
    on_own_stack = &here >= own_stack && &here < own_stack + sizeof own_stack;
    if (number == SIGFPE || number == SIGSEGV)
        siglongjmp(back, info->si_signo);
}

static void catch_all(void)
{
    stack_t stack = {.ss_sp = own_stack, .ss_size = sizeof own_stack};
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    static const int numbers[] = {SIGUSR1, SIGFPE, SIGSEGV};
    sigaltstack(&stack, NULL);
    sigemptyset(&action.sa_mask);
    for (unsigned i = 0; i < 3; i++)
        sigaction(numbers[i], &action, NULL);
}

static void signals(void)
{
    volatile int zero = 0, seven = 7, result = 7;
    char *volatile nowhere = NULL;
    catch_all();
    raise(SIGUSR1);
    printf("raise %d own stack %d\n", caught == SIGUSR1, (int)on_own_stack);
    if (!sigsetjmp(back, 1))
        result = seven / zero;
    printf("divide %d %d\n", caught == SIGFPE, result);
    if (!sigsetjmp(back, 1))
        *nowhere = 1;
    printf("null %d\n", caught == SIGSEGV);
    sigset_t set, old;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, &old);
    caught = 0;
    kill(getpid(), SIGUSR1);
    printf("blocked %d ", caught == 0);
    sigprocmask(SIG_SETMASK, &old, NULL);
    printf("then %d\n", caught == SIGUSR1);
}

static jmp_buf out;

static void dive(int depth, double kept);
static void (*volatile deeper)(int, double) = dive;

static void dive(int depth, double kept)
{
    volatile double mine = kept * 2;
    if (depth == 0)
        longjmp(out, 5);
    deeper(depth - 1, mine);
}

static void jumps(void)
{
    volatile int count = 0;
    double kept = 1.25;
    int value = setjmp(out);
    count++;
    if (value < 3 && count < 3)
        longjmp(out, count);
    if (value != 5)
        dive(50, kept);
    printf("setjmp %d %d %g\n", value, count, kept);
}

static double total(const char *kinds, ...)
{
    va_list ap;
    double sum = 0;
    va_start(ap, kinds);
    for (; *kinds; kinds++)
        switch (*kinds) {
        case 'i': sum += va_arg(ap, int); break;
        case 'l': sum += (double)va_arg(ap, long long); break;
        case 'd': sum += va_arg(ap, double); break;
        case 's': sum += (double)strlen(va_arg(ap, char *)); break;
        default: sum += *va_arg(ap, double *);
        }
    va_end(ap);
    return sum;
}

static unsigned ackermann(unsigned m, unsigned n)
{
    if (m == 0)
        return n + 1;
    return n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

static long machine(const char *code)
{
    long stack[16] = {0};
    int top = 0;
    for (; *code; code++)
        switch (*code) {
        case '+': top--, stack[top] += stack[top + 1]; break;
        case '-': top--, stack[top] -= stack[top + 1]; break;
        case '*': top--, stack[top] *= stack[top + 1]; break;
        case '/': top--, stack[top] /= stack[top + 1]; break;
        case '%': top--, stack[top] %= stack[top + 1]; break;
        case '&': top--, stack[top] &= stack[top + 1]; break;
        case '|': top--, stack[top] |= stack[top + 1]; break;
        case '~': stack[top] = ~stack[top]; break;
        case 'd': top++, stack[top] = stack[top - 1]; break;
        default: stack[++top] = *code - '0';
        }
    return stack[top];
}

static long twice(long v)
{
    return 2 * v;
}

static long square(long v)
{
    return v * v;
}

void program_control(void)
{
    long (*const steps[])(long) = {twice, square, labs};
    long v = 3;
    double pointed = 0.5;
    for (unsigned i = 0; i < 6; i++)
        v = steps[i % 3](v) - 1;
    jumps();
    signals();
    printf("arguments %g\n",
           total("ildsdiiiiip", 1, 2ll << 40, 3.5, "four", 0.25, 5, 6, 7, 8, 9, &pointed));
    printf("ackermann %u\n", ackermann(2, 30));
    printf("machine %ld %ld\n", machine("12+34+*d*7%"), machine("9~5|3&8*6-d*"));
    printf("pointers %ld\n", v);
}
