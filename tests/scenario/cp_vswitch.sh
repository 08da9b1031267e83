#!/bin/bash
# Virtual switches: two Linux guests with Debian's qeth on one, with an OSA of the hardware file as uplink, or a guest; NICDEF and DEFINE NIC, COUPLE with and without a
# grant, what QUERY says, a cable that is pulled out and put in again, DETACH; a guest that is relocated with its interface up, and
# back.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
. "$ROOT/tests/lib/nic_guest.sh"
cluster=$TEST_TMP/two
sample two "$cluster"
cat >>"$cluster/system.config" <<'CNF'
MEMBERA: VMLAN MACPREFIX 021111
MEMBERB: VMLAN MACPREFIX 021112
VMLAN USERPREFIX 02AAAA
DEFINE VSWITCH VSW1 ETHERNET RDEV 0B00 0A00
MODIFY VSWITCH VSW1 GRANT LINUX1
CNF
sed -i 's/^USER LINUX1 .*/&\n NICDEF 0600 TYPE QDIO LAN SYSTEM VSW1 MACID 00BEEF/' "$cluster/user.direct"
for hardware in "$cluster"/hardware/*.cnf; do echo '0A00 OSA slirp,net=10.7.0.0/24' >>"$hardware"; done
cd "$TEST_TMP"
nic_files
endicott up "$cluster" >/dev/null
starts LINUX1
starts LINUX2
started LINUX1
started LINUX2
expect 0 'NIC 0600 is connected to VSWITCH SYSTEM VSW1' endicott wait -m MEMBERA -u LINUX1 --match 'NIC 0600 is connected.*' --since-start

# --- what QUERY says, what is refused
expect 0 'VSWITCH SYSTEM VSW1 .*Type: QDIO .*Connected: 1' cp_on MEMBERA QUERY VSWITCH
expect 0 'ETHERNET' cp_on MEMBERA QUERY VSWITCH VSW1 DETAILS
expect 0 '^    LINUX1 *$' cp_on MEMBERA QUERY VSWITCH VSW1 ACCESSLIST
expect 0 'slirp 10.7.0.0/24' cp_on MEMBERA QUERY VSWITCH
expect 0 'MAC: 02-AA-AA-00-BE-EF +VSWITCH: SYSTEM VSW1' as LINUX1 QUERY VIRTUAL NIC 0600 DETAILS
expect 0 'RDEV: 0B00.P00 .*NOT ACTIVE' cp_on MEMBERA QUERY VSWITCH VSW1
expect 0 'RDEV: 0A00.P00 .* ACTIVE' cp_on MEMBERA QUERY VSWITCH VSW1
expect 0 'OSA  0A00 ATTACHED TO SYSTEM' cp_on MEMBERA QUERY OSA
expect 0 'No network adapters' as LINUX2 QUERY NIC
expect 0 'NIC 0700 is created; devices 0700-0702 defined' as LINUX2 DEFINE NIC 700 TYPE QDIO
expect 0 'MAC: 02-11-11-.* LAN: \*   None' as LINUX2 QUERY NIC 0700
expect 1 'HCPNIC6011E' as LINUX2 COUPLE 0700 TO SYSTEM VSW1
expect 1 'HCPSWU2782E .*NOWHERE' as LINUX2 COUPLE 0700 TO SYSTEM NOWHERE
expect 1 'HCPSWU2781E .*exists' cp_on MEMBERA DEFINE VSWITCH VSW1
expect 1 'HCPSWU2781E .*not slirp' cp_on MEMBERA DEFINE VSWITCH VSW9 UPLINK warp
expect 1 'HCPCMD099E' cp_on MEMBERA DEFINE VSWITCH VSW9 TYPE IVL
expect 1 'HCPNIC2786E .*0701' as LINUX2 DETACH 0701
expect 1 'HCPNIC2783E 0?.*' as LINUX2 DEFINE NIC 701
expect 0 'Command complete' cp_on MEMBERA SET VSWITCH VSW1 GRANT LINUX2
expect 0 'NIC 0700 is connected to VSWITCH SYSTEM VSW1' as LINUX2 COUPLE 0700 TO SYSTEM VSW1
expect 1 'HCPNIC2784E' as LINUX2 COUPLE 0700 TO SYSTEM VSW1

# --- traffic: between the guests, and outside
runs LINUX1 'nic 0600 10.7.0.20; grep -q 02:aa:aa:00:be:ef /sys/class/net/eth0/address'
runs LINUX2 'nic 0700 10.7.0.21'
runs LINUX1 'reaches 10.7.0.21; reaches 10.7.0.2'
for u in LINUX1 LINUX2; do
    runs $u 'mkdir -p /tmp/w /tmp/got && cd /tmp/w && head -c 8000000 /dev/urandom >file && md5sum file >sum && httpd -p 5000 -h /tmp/w'
done
runs LINUX1 'cd /tmp/got && wget -q http://10.7.0.21:5000/file && wget -q http://10.7.0.21:5000/sum && md5sum -c sum'
runs LINUX2 'cd /tmp/got && wget -q http://10.7.0.20:5000/file && wget -q http://10.7.0.20:5000/sum && md5sum -c sum'
expect 0 'Adapter Owner: LINUX2 +NIC: 0700' cp_on MEMBERA QUERY VSWITCH VSW1 DETAILS

# --- the cable is pulled out and put in; a grant is taken away
expect 0 'NIC 0600 is disconnected from VSWITCH SYSTEM VSW1' as LINUX1 UNCOUPLE 0600
runs LINUX1 'carrier 0; ! ping -c 1 -W 1 -q 10.7.0.21 >/dev/null'
expect 0 'NIC 0600 is connected' as LINUX1 COUPLE 0600 SYSTEM VSW1
runs LINUX1 'carrier 1; reaches 10.7.0.21'
expect 0 'Command complete' cp_on MEMBERA SET VSWITCH VSW1 REVOKE LINUX2
runs LINUX2 'carrier 0'
expect 0 'LAN: \*   None' as LINUX2 QUERY NIC 0700
expect 0 'Command complete' cp_on MEMBERA SET VSWITCH VSW1 GRANT LINUX2
expect 0 'NIC 0700 is connected' as LINUX2 COUPLE 0700 TO SYSTEM VSW1
runs LINUX2 'carrier 1'
runs LINUX1 'reaches 10.7.0.21'

# --- a guest is the uplink: those that are isolated reach it, and nothing else
expect 0 'Command complete' cp_on MEMBERA SET VSWITCH VSW1 ISOLATION ON UPLINK NIC LINUX2 700
expect 0 'NIC LINUX2 0700' cp_on MEMBERA QUERY VSWITCH VSW1
expect 1 'HCPRLE1956E .*UPLINK NIC' cp_on MEMBERA VMRELOCATE TEST LINUX2 MEMBERB
runs LINUX1 'silent 10.7.0.2; reaches 10.7.0.21'
expect 0 'Command complete' cp_on MEMBERB SET VSWITCH VSW1 GRANT LINUX2
expect 0 'Command complete' cp_on MEMBERB SET VSWITCH VSW1 ISOLATION ON UPLINK NIC LINUX2 700
expect 0 'has been relocated' cp_on MEMBERA VMRELOCATE MOVE USER LINUX2 TO MEMBERB
expect 0 'uplink in use: MEMBERB' cp_on MEMBERB QUERY VSWITCH VSW1
runs LINUX1 'silent 10.7.0.2; reaches 10.7.0.21'
expect 0 'State: Not connected' cp_on MEMBERA QUERY VSWITCH VSW1
expect 0 'has been relocated' cp_on MEMBERB VMRELOCATE MOVE USER LINUX2 TO MEMBERA
runs LINUX1 'silent 10.7.0.2; reaches 10.7.0.21'
expect 0 'Command complete' cp_on MEMBERB SET VSWITCH VSW1 ISOLATION OFF RDEV 0A00
expect 0 'Command complete' cp_on MEMBERA SET VSWITCH VSW1 ISOLATION OFF RDEV 0A00
runs LINUX1 'reaches 10.7.0.2'

# --- to the other member and back; its interface stays as it is
expect 0 'has been relocated' cp_on MEMBERA VMRELOCATE MOVE USER LINUX1 TO MEMBERB
expect 0 'VSWITCH SYSTEM VSW1 .*Connected: 1' cp_on MEMBERB QUERY VSWITCH
runs LINUX1 'reaches 10.7.0.2; grep -q 02:aa:aa:00:be:ef /sys/class/net/eth0/address'
expect 0 'has been relocated' cp_on MEMBERB VMRELOCATE MOVE USER LINUX1 TO MEMBERA
runs LINUX1 'reaches 10.7.0.21; reaches 10.7.0.2'
expect 0 'VSWITCH SYSTEM OTHER is created' cp_on MEMBERA DEFINE VSWITCH OTHER
expect 0 'Command complete' cp_on MEMBERA SET VSWITCH OTHER GRANT LINUX1
expect 0 'disconnected' as LINUX1 UNCOUPLE 0600
expect 0 'connected' as LINUX1 COUPLE 0600 SYSTEM OTHER
runs LINUX1 'carrier 1'
expect 1 'HCPRLE1956E .*0600.*OTHER' cp_on MEMBERA VMRELOCATE TEST LINUX1 MEMBERB
expect 0 'VSWITCH SYSTEM OTHER is destroyed' cp_on MEMBERA DETACH VSWITCH OTHER
runs LINUX1 'carrier 0'

# --- adapters go; the guests' users go
expect 0 'NIC 0700 is destroyed; devices 0700-0702 detached' as LINUX2 DETACH NIC 0700
runs LINUX2 'n=0; while test -e /sys/class/net/eth0; do usleep 100000; n=$((n + 1)); test $n -lt 3000 || break; done; test ! -e /sys/class/net/eth0'
expect 0 'has ended' endicott stop "$cluster"
echo "cp_vswitch: passed"
