"""The checks, in the order in which they need each other: a name, and a shell command that has to succeed inside."""

# Stressors of stress-ng that work on files in a folder, and check what they read where they can.
STRESSORS = ["access", "chattr", "chdir", "chmod", "chown", "copy-file", "dentry", "dir", "dirdeep", "dirmany", "dup",
             "fallocate", "fcntl", "fiemap", "file-ioctl", "filename", "flock", "fpunch", "getdent", "hdd", "inotify", "iomix",
             "lease", "link", "lockf", "lockofd", "mknod", "mmap", "msync", "open", "readahead", "rename", "revio", "seek",
             "sendfile", "splice", "symlink", "sync-file", "touch", "utime", "verity", "xattr"]

FIO = ("fio --name=v --directory=/work/fio --size=64m --bsrange=1k-256k --rw=randrw --verify=crc32c --verify_fatal=1 "
       "--do_verify=1 --fallocate=none --randseed=7 ")

CHECKS = [
    ("apt-get update", "apt-get -qq update"),
    ("apt-get install", "apt-get -qq install -y --no-install-recommends gcc libc6-dev make git stress-ng fio >/dev/null"),
    ("apt-get remove and dpkg --verify", "apt-get -qq remove -y fio >/dev/null && ! test -e /usr/bin/fio && "
     "apt-get -qq install -y --no-install-recommends fio >/dev/null && dpkg --verify gcc-12 git perl-base libc6 coreutils"),
    ("fsx, a new file", "mkdir -p /work && cd /work && gcc -O2 -o fsx /suites/fsx.c && "
     "for seed in 1 2 3; do ./fsx new $seed 30000 || exit 1; rm new; done"),
    ("fsx, a file of the lower side", "for seed in 4 5; do /work/fsx /usr/bin/perl $seed 30000 || exit 1; done"),
    *[(f"fio --verify, {engine}", f"mkdir -p /work/fio && {FIO} --ioengine={engine} {more} >/dev/null && rm -r /work/fio")
      for engine, more in (("psync", ""), ("mmap", "--bs=4k"), ("libaio", "--iodepth=16 --direct=1"),
                           ("psync", "--numjobs=4 --fsync=32"))],
    ("git clone and fsck", "cd /work && git init -q one && cd one && git config user.email a@b && git config user.name n && "
     "cp -r /usr/share/perl/5.36.0 /usr/include . && git add -A && git commit -qm one && "
     "git clone -q /work/one /work/two && cd /work/two && git fsck --full --strict && git gc -q && git fsck --full && "
     "git status --porcelain | wc -l | grep -qx 0 && diff -r 5.36.0 /usr/share/perl/5.36.0"),
    ("gcc: lua from source", "sed 's/^deb /deb-src /' /etc/apt/sources.list >/etc/apt/sources.list.d/source.list && "
     "apt-get -qq update && cd /work && apt-get -qq source --download-only lua5.4 && mkdir lua && "
     "tar -xf lua5.4_*.orig.tar.gz -C lua --strip-components=1 && make -s -j2 -C lua posix >/dev/null && "
     "test \"$(lua/src/lua -e 'print(6 * 7)')\" = 42"),
    ("POSIX", "mkdir -p /work/posix && python3 /suites/posix.py /work/posix /usr/share/common-licenses"),
    *[(f"stress-ng --{name}", f"mkdir -p /work/stress && cd /work/stress && stress-ng --{name} 2 --timeout 4s --verify "
       f"--temp-path /work/stress --quiet; status=$?; rm -rf /work/stress; exit $status") for name in STRESSORS],
]
