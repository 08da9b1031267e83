/* Sockets over IUCV (Linux net/iucv/af_iucv.c) for tests/scenario/cp_iucv.sh:
 *   cp_iucv_socket listen NAME            one connection: sends back what comes, prints how much
 *   cp_iucv_socket connect USER NAME N    sends N messages of 1 to 4000 bytes, wants them back
 * Exit status 0 when all came back as it was. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define AF_OF_IUCV 32
#define MESSAGE_BYTES 4000

struct address { /* struct sockaddr_iucv */
    sa_family_t family;
    unsigned short port;
    unsigned int addr;
    char nodeid[8], user_id[8], name[8];
};

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void pad(char out[8], const char *in)
{
    memset(out, ' ', 8);
    memcpy(out, in, strlen(in) < 8 ? strlen(in) : 8);
}

static struct address address_of(const char *user, const char *name)
{
    struct address a = {.family = AF_OF_IUCV};
    pad(a.nodeid, "");
    pad(a.user_id, user);
    pad(a.name, name);
    return a;
}

static int listen_at(int s, const char *name)
{
    char text[MESSAGE_BYTES];
    struct address a = address_of("", name);
    long total = 0;
    ssize_t n;
    if (bind(s, (struct sockaddr *)&a, sizeof a) || listen(s, 1))
        die("bind");
    printf("LISTENING\n");
    fflush(stdout);
    int c = accept(s, NULL, NULL);
    if (c < 0)
        die("accept");
    while ((n = recv(c, text, sizeof text, 0)) > 0) {
        if (send(c, text, (size_t)n, MSG_NOSIGNAL) != n)
            break; /* the other one has gone */
        total += n;
    }
    printf("ECHOED %ld\n", total);
    return 0;
}

static int connect_to(int s, const char *user, const char *name, int count)
{
    char text[MESSAGE_BYTES], back[MESSAGE_BYTES];
    struct address a = address_of(user, name);
    long total = 0;
    if (connect(s, (struct sockaddr *)&a, sizeof a))
        die("connect");
    for (int i = 0; i < count; i++) {
        size_t n = 1 + (size_t)i * 37 % MESSAGE_BYTES, got = 0;
        for (size_t k = 0; k < n; k++)
            text[k] = (char)(i + k * 7);
        if (send(s, text, n, MSG_NOSIGNAL) != (ssize_t)n)
            die("send");
        while (got < n) {
            ssize_t m = recv(s, back + got, n - got, 0);
            if (m <= 0)
                die("recv");
            got += (size_t)m;
        }
        if (memcmp(text, back, n))
            return 1;
        total += (long)n;
    }
    printf("CAME BACK %ld\n", total);
    return 0;
}

int main(int argc, char **argv)
{
    int s = socket(AF_OF_IUCV, SOCK_STREAM, 0);
    if (s < 0)
        die("socket");
    if (argc == 3 && !strcmp(argv[1], "listen"))
        return listen_at(s, argv[2]);
    if (argc == 5 && !strcmp(argv[1], "connect"))
        return connect_to(s, argv[2], argv[3], atoi(argv[4]));
    return 2;
}
