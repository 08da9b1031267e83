/* net_meter: TCP between guests, or between a guest and its host, for tests/bench/net. Static, for the guest.
 * send HOST PORT SECONDS, receive HOST PORT: bytes and time until the peer has all; ask HOST PORT COUNT: round trips
 * of 64 bytes; serve PORT: takes what `send` sends, echoes what `ask` asks; offload INTERFACE: what `ethtool -K INTERFACE
 * rx on tx on tso on` does, and which of these are on then. */
#include <arpa/inet.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK_BYTES = 65536, QUESTION_BYTES = 64, WARM_UP = 200, BACKLOG = 64 };

static char block[BLOCK_BYTES];

static int64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void quit(const char *what)
{
    perror(what);
    exit(1);
}

static int tcp(void)
{
    int on = 1, s = socket(AF_INET, SOCK_STREAM, 0);

    if (s < 0)
        quit("socket");
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    return s;
}

static struct sockaddr_in address(const char *host, const char *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};

    if (inet_pton(AF_INET, host, &a.sin_addr) != 1)
        quit(host);
    return a;
}

static int reach(const char *host, const char *port)
{
    struct sockaddr_in a = address(host, port);
    int s = tcp();

    if (connect(s, (struct sockaddr *)&a, sizeof a))
        quit("connect");
    return s;
}

static void tell(const char *what, int64_t bytes, int64_t ns)
{
    printf("NET %s %lld bytes %lld ns\n", what, (long long)bytes, (long long)ns);
}

/* Until the peer has seen the end, and so all of it. */
static void send_for(int s, double seconds)
{
    int64_t began = now_ns(), until = began + (int64_t)(seconds * 1e9), bytes = 0;
    char end;

    while (now_ns() < until) {
        ssize_t n = write(s, block, sizeof block);
        if (n <= 0)
            quit("write");
        bytes += n;
    }
    shutdown(s, SHUT_WR);
    while (read(s, &end, 1) > 0)
        ;
    tell("sent", bytes, now_ns() - began);
}

static int64_t drain(int s)
{
    int64_t bytes = 0;
    ssize_t n;

    while ((n = read(s, block, sizeof block)) > 0)
        bytes += n;
    return bytes;
}

static void receive(int s)
{
    int64_t began = now_ns(), bytes = drain(s);

    tell("received", bytes, now_ns() - began);
}

static int whole(int s, char *p, size_t left)
{
    while (left) {
        ssize_t n = read(s, p, left);
        if (n <= 0)
            return 0;
        p += n;
        left -= (size_t)n;
    }
    return 1;
}

static int64_t question(int s)
{
    char text[QUESTION_BYTES] = "?";
    int64_t began = now_ns();

    if (write(s, text, sizeof text) != sizeof text || !whole(s, text, sizeof text))
        quit("ask");
    return now_ns() - began;
}

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void ask(int s, size_t count)
{
    int64_t *took = calloc(count, sizeof *took);

    if (!took || !count)
        quit("ask");
    for (int i = 0; i < WARM_UP; i++)
        question(s);
    for (size_t i = 0; i < count; i++)
        took[i] = question(s);
    qsort(took, count, sizeof *took, ascending);
    printf("NET asked %zu median %lld p99 %lld ns\n", count, (long long)took[count / 2],
           (long long)took[count * 99 / 100]);
    free(took);
}

/* What is asked is echoed, the rest is taken; the first bytes tell which. */
static void serve_one(int s)
{
    char text[QUESTION_BYTES];

    while (whole(s, text, sizeof text)) {
        if (text[0] != '?') {
            drain(s);
            return;
        }
        if (write(s, text, sizeof text) != sizeof text)
            return;
    }
}

static void serve(const char *port)
{
    struct sockaddr_in a = address("0.0.0.0", port);
    int on = 1, listening = tcp();

    if (bind(listening, (struct sockaddr *)&a, sizeof a) || listen(listening, BACKLOG))
        quit("listen");
    puts("NET serves");
    fflush(stdout);
    for (;;) {
        int s = accept(listening, NULL, NULL);
        if (s < 0)
            quit("accept");
        setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        serve_one(s);
        close(s);
    }
}

/* The value of a setting, -1 without it. */
static int setting(const char *interface, uint32_t command, uint32_t value)
{
    struct ethtool_value v = {command, value};
    struct ifreq r = {.ifr_data = (char *)&v};
    int s = tcp(), status;

    snprintf(r.ifr_name, sizeof r.ifr_name, "%s", interface);
    status = ioctl(s, SIOCETHTOOL, &r);
    close(s);
    return status ? -1 : (int)v.data;
}

static void offload(const char *interface)
{
    static const uint32_t set[] = {ETHTOOL_SRXCSUM, ETHTOOL_STXCSUM, ETHTOOL_SSG, ETHTOOL_STSO};

    for (size_t i = 0; i < sizeof set / sizeof set[0]; i++)
        setting(interface, set[i], 1);
    printf("NET offload rx %d tx %d tso %d\n", setting(interface, ETHTOOL_GRXCSUM, 0),
           setting(interface, ETHTOOL_GTXCSUM, 0), setting(interface, ETHTOOL_GTSO, 0));
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (argc == 3 && !strcmp(what, "serve"))
        serve(argv[2]);
    else if (argc == 3 && !strcmp(what, "offload"))
        offload(argv[2]);
    else if (argc == 5 && !strcmp(what, "send"))
        send_for(reach(argv[2], argv[3]), atof(argv[4]));
    else if (argc == 4 && !strcmp(what, "receive"))
        receive(reach(argv[2], argv[3]));
    else if (argc == 5 && !strcmp(what, "ask"))
        ask(reach(argv[2], argv[3]), strtoul(argv[4], NULL, 10));
    else
        return 2;
    return 0;
}
