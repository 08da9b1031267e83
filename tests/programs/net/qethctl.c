/* What scenarios ask of a network interface in a guest, by ioctl and packet sockets:
 *   offload IF tx|rx|tso on|off    as ethtool -K; prints what is on then
 *   neighbours IF                  the adapter's ARP table, as qetharp
 *   table IF                       the parts of the adapter's address table, as qethqoat
 *   watch IF MAC N                 promiscuous: N frames that are for MAC, which is another's */
#include <arpa/inet.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define ARP_QUERY (SIOCDEVPRIVATE + 1)
#define TABLE_QUERY (SIOCDEVPRIVATE + 7)
#define TABLE_AT 32u
#define PART_HEADER 16u
#define PART_DESCRIPTOR 0x10
#define QUERY_BYTES 65536u
#define ENTRIES_AT 6
#define ENTRY_BYTES 44
#define ENTRY_MAC 34
#define ENTRY_IP 40

static int die(const char *what)
{
    perror(what);
    return 1;
}

static int offload(int s, const char *name, const char *what, int on)
{
    static const struct {
        const char *name;
        unsigned set, get;
    } features[] = {{"tx", ETHTOOL_STXCSUM, ETHTOOL_GTXCSUM},
                    {"rx", ETHTOOL_SRXCSUM, ETHTOOL_GRXCSUM},
                    {"tso", ETHTOOL_STSO, ETHTOOL_GTSO}};
    for (unsigned i = 0; i < sizeof features / sizeof *features; i++) {
        struct ethtool_value v = {features[i].set, (unsigned)on};
        struct ifreq r = {.ifr_data = (void *)&v};
        strncpy(r.ifr_name, name, IFNAMSIZ - 1);
        if (strcmp(what, features[i].name))
            continue;
        if (ioctl(s, SIOCETHTOOL, &r))
            return die(what);
        v.cmd = features[i].get;
        if (ioctl(s, SIOCETHTOOL, &r))
            return die(what);
        printf("%s %s %u\n", name, what, v.data);
    }
    return 0;
}

static int neighbours(int s, const char *name)
{
    unsigned char *data = calloc(1, QUERY_BYTES);
    struct ifreq r = {.ifr_data = (void *)data};
    unsigned n = QUERY_BYTES;
    strncpy(r.ifr_name, name, IFNAMSIZ - 1);
    memcpy(data, &n, sizeof n);
    if (ioctl(s, ARP_QUERY, &r))
        return die("query");
    memcpy(&n, data, sizeof n);
    for (unsigned i = 0; i < n; i++) {
        const unsigned char *e = data + ENTRIES_AT + i * ENTRY_BYTES;
        const unsigned char *m = e + ENTRY_MAC, *a = e + ENTRY_IP;
        printf("neighbour %u.%u.%u.%u at %02x:%02x:%02x:%02x:%02x:%02x\n", a[0], a[1], a[2], a[3],
               m[0], m[1], m[2], m[3], m[4], m[5]);
    }
    return 0;
}

static unsigned get16(const unsigned char *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static int table(int s, const char *name)
{
    unsigned char *data = calloc(1, QUERY_BYTES);
    struct {
        unsigned command, room, len;
        unsigned long long at;
    } query = {1, QUERY_BYTES, 0, (unsigned long)data};
    struct ifreq r = {.ifr_data = (void *)&query};
    strncpy(r.ifr_name, name, IFNAMSIZ - 1);
    if (ioctl(s, TABLE_QUERY, &r))
        return die("table");
    for (unsigned at = TABLE_AT; at < query.len;) {
        const unsigned char *p = data + at, *d = p + PART_HEADER;
        at += get16(p + 2);
        if (get16(p) != PART_DESCRIPTOR) {
            printf("table: part %x\n", get16(p));
            continue;
        }
        printf("table: descriptor %x, %u\n", get16(d + 2), get16(d + 18));
        at += get16(d + 14) * get16(d + 18);
    }
    return 0;
}

static int watch(const char *name, const char *mac, int n)
{
    unsigned char frame[65536], to[6];
    int s = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
    struct sockaddr_ll at = {.sll_family = AF_PACKET,
                             .sll_protocol = htons(ETH_P_ALL),
                             .sll_ifindex = (int)if_nametoindex(name)};
    struct packet_mreq all = {.mr_ifindex = at.sll_ifindex, .mr_type = PACKET_MR_PROMISC};
    sscanf(mac, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", to, to + 1, to + 2, to + 3, to + 4, to + 5);
    if (s < 0 || bind(s, (void *)&at, sizeof at) ||
        setsockopt(s, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all))
        return die(name);
    printf("%s watches\n", name);
    fflush(stdout);
    while (n) {
        ssize_t len = recv(s, frame, sizeof frame, 0);
        if (len < 0)
            return die("recv");
        n -= len >= 14 && !memcmp(frame, to, 6);
    }
    printf("%s saw them\n", name);
    return 0;
}

int main(int argc, char **argv)
{
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    if (argc == 5 && !strcmp(argv[1], "offload"))
        return offload(s, argv[2], argv[3], !strcmp(argv[4], "on"));
    if (argc == 3 && !strcmp(argv[1], "neighbours"))
        return neighbours(s, argv[2]);
    if (argc == 3 && !strcmp(argv[1], "table"))
        return table(s, argv[2]);
    if (argc == 5 && !strcmp(argv[1], "watch"))
        return watch(argv[2], argv[3], atoi(argv[4]));
    return 2;
}
