# Run in the guest by tests/soak/debian_root.sh: makes a Debian system on the disk 0200 out of the packages in /debs.
root=/debian/mnt
online 0200
d dasdfmt -b 4096 -y -l ENDI01 /dev/dasda >/dev/null && echo "dasdfmt $?"
d fdasd -a -k /dev/dasda >/dev/null && echo "fdasd $?"
part /dev/dasda1
d mkfs.ext4 -F -q /dev/dasda1 && echo "mkfs $?"
mount -t ext4 /dev/dasda1 $root && echo "mount $?"

# What dpkg itself needs is unpacked by hand; then dpkg installs it again, as a package.
mkdir -p $root/debs $root/proc $root/sys $root/dev
for name in $(cat /debs/essential); do
    dpkg-deb -x /debs/$name $root || echo "unpack $name $?"
done
echo "unpacked $(cut -d ' ' -f 1 /proc/uptime)"
mount -t proc proc $root/proc
mount -t sysfs sys $root/sys
mount -t devtmpfs dev $root/dev
mount -t tmpfs tmpfs $root/tmp
mount -o bind /debs $root/debs
# By their paths: busybox would run its own of these names.
in_root() { DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot $root /usr/bin/env "$@"; }

printf 'root:x:0:0:root:/root:/bin/bash\n' >$root/etc/passwd
printf 'root:x:0:\nmail:x:8:\nutmp:x:43:\n' >$root/etc/group
: >$root/var/lib/dpkg/status
: >$root/var/lib/dpkg/available
printf '#!/bin/sh\nexit 101\n' >$root/usr/sbin/policy-rc.d
chmod 755 $root/usr/sbin/policy-rc.d
echo endicott >$root/etc/hostname
echo "/dev/dasda1 / ext4 errors=remount-ro 0 1" >$root/etc/fstab
mkdir -p $root/etc/initramfs-tools/conf.d
printf 'dasd_eckd_mod\next4\n' >$root/etc/initramfs-tools/modules
echo MODULES=list >$root/etc/initramfs-tools/conf.d/modules
mkdir -p $root/etc/initramfs-tools
cat >$root/etc/kernel-img.conf <<CONF
do_symlinks = yes
link_in_boot = yes
CONF
cat >$root/etc/zipl.conf <<CONF
[defaultboot]
default=debian
[debian]
target=/boot
image=/boot/vmlinuz
ramdisk=/boot/initrd.img
parameters="root=/dev/dasda1 dasd_mod.dasd=0.0.0200 $(cat /parm)"
CONF

dpkg="dpkg --force-depends --force-confold --force-unsafe-io"
install_debs() { in_root $dpkg --install "$@" >/tmp/dpkg.log 2>&1 || { echo "dpkg $?"; tail -n 40 /tmp/dpkg.log; }; }
for first in base-passwd base-files; do
    install_debs $(cd $root && ls debs/${first}_*.deb)
done
install_debs $(cd $root && sed 's,^,debs/,' debs/essential)
echo "essential $(cut -d ' ' -f 1 /proc/uptime)"
install_debs $(cd $root && ls debs/*.deb | grep -v -F -f debs/essential)
in_root $dpkg --configure -a 2>&1 | tail -n 20
echo "installed $(cut -d ' ' -f 1 /proc/uptime)"
wanted=$(ls $root/debs/*.deb | wc -l)
echo "packages: $(in_root dpkg-query -W -f '${db:Status-Abbrev}\n' | grep -c '^ii') of $wanted"

echo root:endicott | in_root chpasswd && echo "chpasswd $?"
echo once >$root/var/boots
rm $root/usr/sbin/policy-rc.d
ls -l $root/boot
in_root zipl && echo "zipl $?"
umount $root/debs $root/tmp $root/dev $root/sys $root/proc
rmdir $root/debs
umount $root && d e2fsck -f -n /dev/dasda1 && echo "fsck $?"
echo "the end $(cut -d ' ' -f 1 /proc/uptime)"
