#!/bin/sh
# dnf.sh PACKAGE - install and remove the RPM by dnf, from a repository made for it.
#
# Into an empty root: this shows that dnf resolves the package and that a
# repository can be made of it, not that Fedora's own packages agree. Needs root.
set -eu
case ${1-} in '' | -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
packaging=$(cd "$(dirname "$0")/.." && pwd)
"$packaging/../build/need.sh" dnf:dnf createrepo_c:createrepo-c rpmbuild:rpm busybox:busybox-static
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/repository" "$work/top"
cp "$1" "$work/repository/"
# A stand-in for the distribution, which provides the shell that scriptlets need.
cat >"$work/system.spec" <<SPEC
Name: system
Version: 1
Release: 1
Summary: stand-in
License: none
AutoReqProv: no
Provides: /bin/sh
%description
%install
mkdir -p %{buildroot}/bin
cp $(command -v busybox) %{buildroot}/bin/busybox
ln -s busybox %{buildroot}/bin/sh
%files
/bin/*
SPEC
HOME=$work rpmbuild -bb --quiet --define "_topdir $work/top" --define "_dbpath $work/db" \
    --define 'debug_package %{nil}' --define '__os_install_post %{nil}' "$work/system.spec" >/dev/null 2>&1
cp "$work"/top/RPMS/*/*.rpm "$work/repository/"
createrepo_c --quiet "$work/repository"

run() {
    dnf -y --quiet --installroot="$work/root" --releasever=1 '--disablerepo=*' --repofrompath="local,file://$work/repository" \
        --enablerepo=local --nogpgcheck --setopt=reposdir=/nonexistent --setopt=cachedir="$work/cache" "$@"
}
run install sluice
chroot "$work/root" /usr/sbin/sluice -v >/dev/null
run remove sluice
[ ! -e "$work/root/usr/sbin/sluice" ]
echo 'dnf.sh: all well'
